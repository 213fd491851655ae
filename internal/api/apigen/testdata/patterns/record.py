"""Records in java.json which samples match which pattern of the pinned models, as Java sees it: the models are written
in Java's dialect, and the expressions that apigen makes of them have to agree.

Run it with a JDK installed to record anew: python3 record.py
"""

import base64
import json
import pathlib
import subprocess

HERE = pathlib.Path(__file__).parent
ARN = "arn:aws:workspaces:eu-central-1:123456789012:workspace/ws-123456789"
GOOD = [
    "", "a", "A", "1", "-", "_", ".", " ", "ab", "a-b", "a b", "d-926722edaf", "d-92672", "D-926722edaf", "wsd-123456789",
    "ws-123456789", "ws-12345678", "ws-1234567", "wsb-gm4d5tx2v", "wsi-123456789", "wsi-12345678", "wsipg-12345678",
    "wsca-12345678", "wsa-12345678", "wspool-123456789", "link-12345678", "link-1234", "s-1234567890", "t-1234567890",
    "xwsi-123456789", "d-926722edafx", "xwsd-123456789", "ami-12345678", "import-ami-12345678", "i-12345678",
    "subnet-12345678", "subnet-0123456789abcdef0", "vpc-12345678", "vpc-1", "sg-12345678", "sg-0123456789abcdef0",
    "123456789012", "12345678901", "AMAZON", "123456789012AMAZON", "10.0.0.0/16", "10.0.0.0/33", "10.0.0.0/8",
    "10.0.0.1", "256.0.0.1", "2001:db8:0:0:0:0:0:1", "2001:db8::1", "::1", "::", "fe80::1%eth0", "1:2:3:4:5:6:7:8::",
    "::ffff:10.0.0.1", "corp.example.com", "corp", "corp.", "corp\\example.com", "CORP", "https://example.com/a?b=c",
    "http://", "https://a b", "ftp://example.com", "ldap://x/y", "jo.doe", "jo@example.com", "jo doe", "jo\\doe",
    "en_US", "en-US", "eu-central-1", "Hello, world!", "00000000-0000-4000-8000-000000000000", "my-bucket", "-bucket",
    "Sw0rdfish!", "swordfish", "Sw0rdfis", "Sw0rdfi", "SWORDF1SH", "Swordfish!", "sw0rd fish", "Sw0rd fish", "zoë",
    "Zoë12345", "Passwörter", "\u01c5abcdefg1", "Sw0rdfish!" * 7, "x" * 25, "x" * 64, "x" * 65, "x" * 256, "x" * 1000,
    "x" * 1001, ARN, ARN + "x" * 968, ARN + "x" * 976, ARN + "x" * 977, ARN + "x" * 1000,
    "arn:aws:secretsmanager:eu-central-1:123456789012:secret:abc-123456", "a" * 200 + "b", "|pipe", "tag:key/+=@",
    "arn:aws:imagebuilder:eu-central-1:123456789012:image/my-image/1.0.0/1", "arn:aws:acm-pca:eu-1:1:certificate/x-1",
    "arn:aws:imagebuilder:eu-central-1:123456789012:infrastructure-configuration/my-config", "*", "a*b", "a?b", "[x]",
    "group name", "a=b", "a,b", "<x>", "department", "x-y*", "/aws/log-group_1", "😀", "٣", "é", "\u2028", "日本",
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "\x7f", "\x00", "\xa0", "²", "Ⅷ", "name@corp", "Settings'(group)!",
]
ENDS = ["\n", "\r", "\r\n", "\u0085", "\u2028", "\v", "\t", " ", "!"]
EVERY = ["Hello", "d-926722edaf", "Sw0rdfish!", "zoë", "https://example.com", "a b"]
SAMPLES = GOOD + [word + end for word in EVERY for end in ENDS] + [word[:2] + end + word[2:] for word in EVERY for end in ENDS]


def b64(text):
    return base64.b64encode(text.encode()).decode()


patterns = {}
for service in ("workspaces", "ds", "ds-data", "resourcegroupstaggingapi", "cloudwatch"):
    model = json.loads((HERE.parent.parent / "models" / (service + ".json")).read_text())
    for name, shape in model["shapes"].items():
        if "pattern" in shape:
            patterns[service + "." + name] = shape["pattern"]
pairs = "".join(f"{b64(pattern)} {b64(sample)}\n" for pattern in patterns.values() for sample in SAMPLES)
verdicts = subprocess.run(["java", HERE / "Match.java"], input=pairs, capture_output=True, text=True, check=True).stdout.split()
assert len(verdicts) == len(patterns) * len(SAMPLES)
matches = {}
for i, name in enumerate(patterns):
    row = verdicts[i * len(SAMPLES):(i + 1) * len(SAMPLES)]
    matches[name] = [at for at, verdict in enumerate(row) if verdict == "1"]
with open(HERE / "java.json", "w") as out:
    out.write('{"samples": ' + json.dumps(SAMPLES) + ',\n "matches": {\n')
    out.write(",\n".join(f'  {json.dumps(name)}: {json.dumps(at)}' for name, at in matches.items()))
    out.write("\n }}\n")
print([name for name, at in matches.items() if not at])
