"""Records the requests in this folder: what botocore sends, byte for byte, at a fixed time with a fixed key.

Run it with boto3 installed to record them anew: python3 capture.py
"""

import datetime
import pathlib
import socket
import threading
from unittest import mock

import boto3
from botocore.config import Config

NOW = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
KEY = dict(aws_access_key_id="AKIDCARREL", aws_secret_access_key="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
HERE = pathlib.Path(__file__).parent


def serve(listener, name):
    """Answers one request with an empty object, after writing it down."""
    peer, _ = listener.accept()
    data = b""
    while b"\r\n\r\n" not in data:
        data += peer.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        body += peer.recv(65536)
    (HERE / (name + ".http")).write_bytes(head + b"\r\n\r\n" + body)
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
    peer.close()


def record(name, service, call, **session):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener, name))
        thread.start()
        client = boto3.client(
            service, region_name="eu-central-1", endpoint_url=f"http://127.0.0.1:{listener.getsockname()[1]}",
            config=Config(retries={"max_attempts": 1}, user_agent="botocore-fixture"), **KEY, **session)
        try:
            call(client)
        except Exception as error:  # sts expects XML; the request is on file by now
            print(name, type(error).__name__)
        thread.join()


with mock.patch("botocore.auth.get_current_datetime", lambda: NOW.replace(tzinfo=None)), \
        mock.patch("botocore.endpoint.uuid.uuid4", lambda: "00000000-0000-4000-8000-000000000000"), \
        mock.patch("botocore.handlers.uuid.uuid4", lambda: "00000000-0000-4000-8000-000000000000"):
    record("workspaces-describe", "workspaces", lambda c: c.describe_workspaces(Limit=25))
    record("workspaces-create", "workspaces", lambda c: c.create_workspaces(Workspaces=[{
        "DirectoryId": "d-926722edaf", "UserName": "zoë", "BundleId": "wsb-gm4d5tx2v",
        "WorkspaceProperties": {"RunningMode": "AUTO_STOP", "RunningModeAutoStopTimeoutInMinutes": 60},
        "Tags": [{"Key": "team", "Value": "a b"}]}]))
    record("workspaces-no-input", "workspaces", lambda c: c.describe_account())
    record("workspaces-token", "workspaces", lambda c: c.describe_account(), aws_session_token="testing")
    record("ds-create", "ds", lambda c: c.create_directory(Name="corp.example.com", Password="Sw0rdfish!", Size="Small"))
    record("ds-data-create-user", "ds-data", lambda c: c.create_user(
        DirectoryId="d-926722edaf", SAMAccountName="jo.doe", GivenName="Jo",
        OtherAttributes={"department": {"S": "R&D"}}))
    record("sts-get-caller-identity", "sts", lambda c: c.get_caller_identity())
    for protocol in ("json", "smithy-rpc-v2-cbor", "query"):  # the first is botocore's own choice, the last that of old versions
        with mock.patch("botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS", (protocol,)):
            record("cloudwatch-" + protocol, "cloudwatch", lambda c: c.get_metric_statistics(
                Namespace="AWS/WorkSpaces", MetricName="Stopped", Dimensions=[{"Name": "WorkspaceId", "Value": "ws-123456789"}],
                StartTime=NOW - datetime.timedelta(hours=1), EndTime=NOW, Period=300, Statistics=["Minimum", "Sum"]))
