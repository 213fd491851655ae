package awsjson

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"net/http"

	"carrel/internal/api"
)

// queryDialect writes AWS Query: XML inside an envelope that is named after the operation.
type queryDialect struct{ service *api.Service }

func (d queryDialect) output(body *bytes.Buffer, header http.Header, reply reply) error {
	header.Set("Content-Type", "text/xml")
	encoder := xml.NewEncoder(body)
	envelope := xml.StartElement{
		Name: xml.Name{Local: reply.operation + "Response"},
		Attr: []xml.Attr{{Name: xml.Name{Local: "xmlns"}, Value: d.service.Namespace}},
	}
	metadata := struct {
		XMLName   xml.Name `xml:"ResponseMetadata"`
		RequestID string   `xml:"RequestId"`
	}{RequestID: reply.requestID}
	if err := encoder.EncodeToken(envelope); err != nil {
		return err
	}
	if err := api.EncodeXML(encoder, reply.operation+"Result", reply.output); err != nil {
		return err
	}
	if err := encoder.Encode(metadata); err != nil {
		return err
	}
	if err := encoder.EncodeToken(envelope.End()); err != nil {
		return err
	}
	return encoder.Close()
}

func (d queryDialect) exception(body *bytes.Buffer, header http.Header, reply reply) int {
	header.Set("Content-Type", "text/xml")
	code, blame, status := queryError(d.service, reply.exception)
	envelope := struct {
		XMLName   xml.Name `xml:"ErrorResponse"`
		Namespace string   `xml:"xmlns,attr"`
		Type      string   `xml:"Error>Type"`
		Code      string   `xml:"Error>Code"`
		Message   string   `xml:"Error>Message"`
		RequestID string   `xml:"RequestId"`
	}{
		Namespace: d.service.Namespace, Type: blame, Code: code,
		Message: reply.exception.Message, RequestID: reply.requestID,
	}
	// Strings alone cannot fail to encode, and a bytes.Buffer takes every write.
	_ = xml.NewEncoder(body).Encode(envelope)
	return status
}

// queryError returns the code and status that the Query protocol has for an exception which the JSON protocols name
// differently (the "Common Errors" page of the STS API reference), and whose fault it is; every other exception has its
// model's code.
func queryError(service *api.Service, exception *api.Exception) (code, blame string, status int) {
	code, status = queryCode(service, exception)
	blame = "Sender"
	if status >= http.StatusInternalServerError {
		blame = "Receiver"
	}
	return code, blame, status
}

func queryCode(service *api.Service, exception *api.Exception) (code string, status int) {
	switch exception.Name {
	case invalidSignature:
		return "SignatureDoesNotMatch", http.StatusForbidden
	case unrecognizedClient:
		return "InvalidClientTokenId", http.StatusForbidden
	case missingToken:
		return "MissingAuthenticationToken", http.StatusForbidden
	case incompleteSignature:
		return "IncompleteSignature", http.StatusBadRequest
	case unknownOperation:
		return "InvalidAction", exception.HTTPStatus()
	case "ThrottlingException":
		return "Throttling", exception.HTTPStatus()
	case api.ValidationException:
		return "ValidationError", http.StatusBadRequest
	case api.InternalServerException:
		return "InternalFailure", http.StatusInternalServerError
	default:
		shape, _ := service.Exception(exception.Name)
		return cmp.Or(shape.Code, exception.Name), exception.HTTPStatus()
	}
}
