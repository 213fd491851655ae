package awsjson

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"carrel/internal/api"
)

// routes find the service and the operation that a request is for.
type routes struct {
	byName   map[string]*endpoint // by SigV4 name
	byTarget map[string]*endpoint // JSON 1.0 and 1.1: by the part of X-Amz-Target before the dot
	byRPC    map[string]*endpoint // RPC with CBOR: by the service in the path
	byPath   map[string]route     // REST-JSON: by method and path
	byAction map[string]*endpoint // Query: by API version
}

// endpoint is one service in one of its protocols, with its handlers by operation name.
type endpoint struct {
	service  *api.Service
	protocol api.Protocol
	dialect  dialect
	handlers map[string]api.Handler
	passOn   bool // what has no handler goes to whoever answers other services
}

// route is where a request goes: an endpoint and the operation it asks for, which the endpoint may not have.
type route struct {
	*endpoint
	operation string
}

func newRoutes() routes {
	return routes{
		byName: map[string]*endpoint{}, byTarget: map[string]*endpoint{}, byRPC: map[string]*endpoint{},
		byPath: map[string]route{}, byAction: map[string]*endpoint{},
	}
}

func (t *routes) add(s ServiceHandlers, middleware []api.Middleware) error {
	if t.byName[s.Service.Name] != nil {
		return errors.New("the service is given twice")
	}
	handlers := map[string]api.Handler{}
	for _, handler := range s.Handlers {
		name := handler.Spec().Name
		if _, ok := s.Service.Operation(name); !ok {
			return fmt.Errorf("it has no operation %s", name)
		}
		if handlers[name] != nil {
			return fmt.Errorf("operation %s is given twice", name)
		}
		for _, outer := range slices.Backward(middleware) {
			handler = outer(handler)
		}
		handlers[name] = handler
	}
	for _, protocol := range append([]api.Protocol{s.Service.Protocol}, s.Service.Also...) {
		e := &endpoint{
			service: s.Service, protocol: protocol, dialect: dialectOf(s.Service, protocol), handlers: handlers, passOn: s.PassOn,
		}
		if e.dialect == nil {
			return fmt.Errorf("protocol %q is not spoken here", protocol)
		}
		if t.byName[s.Service.Name] == nil {
			t.byName[s.Service.Name] = e
		}
		if err := t.index(e); err != nil {
			return err
		}
	}
	return nil
}

// index enters the endpoint under what its protocol is routed by.
func (t *routes) index(e *endpoint) error {
	switch e.protocol {
	case api.RPCCBOR:
		if t.byRPC[e.service.TargetPrefix] != nil {
			return errors.New("another service has its name in paths")
		}
		t.byRPC[e.service.TargetPrefix] = e
	case api.JSON10, api.JSON11:
		if t.byTarget[e.service.TargetPrefix] != nil {
			return errors.New("another service has its target prefix")
		}
		t.byTarget[e.service.TargetPrefix] = e
	case api.Query:
		if t.byAction[e.service.Version] != nil {
			return errors.New("another service has its API version")
		}
		t.byAction[e.service.Version] = e
	case api.RESTJSON:
		for _, op := range e.service.Operations {
			spec := op.Spec()
			key := spec.Method + " " + spec.Path
			if t.byPath[key].endpoint != nil {
				return fmt.Errorf("another operation is at %s", key)
			}
			t.byPath[key] = route{e, spec.Name}
		}
	}
	return nil
}

// find returns the route of a request and whether it is for one of our services. What names no operation is taken for a
// request to the service that it was signed for, so that the refusal comes in that service's protocol.
func (t *routes) find(r *http.Request, body []byte) (route, bool) {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		prefix, operation, _ := strings.Cut(target, ".")
		if e := t.byTarget[prefix]; e != nil && r.Method == http.MethodPost {
			return route{e, operation}, true
		}
		return route{}, false
	}
	if service, operation, ok := rpcPath(r); ok {
		e := t.byRPC[service]
		return route{e, operation}, e != nil
	}
	if found, ok := t.byPath[r.Method+" "+r.URL.Path]; ok {
		return found, true
	}
	if form, ok := actionForm(r, body); ok {
		if e := t.byAction[form.Get("Version")]; e != nil {
			return route{e, form.Get("Action")}, true
		}
		return route{}, false
	}
	signed, exception := parseAuthorization(r.Header.Get("Authorization"))
	if exception != nil {
		return route{}, false
	}
	e := t.byName[signed.service]
	return route{e, ""}, e != nil
}

// protocolHeader names the protocol of a request that is an RPC of Smithy's, and of the reply to it.
const protocolHeader = "Smithy-Protocol"

// rpcPath returns the service and the operation that the path of an RPC names: /service/SERVICE/operation/OPERATION, with
// or without something before it.
func rpcPath(r *http.Request) (service, operation string, ok bool) {
	if r.Header.Get(protocolHeader) != string(api.RPCCBOR) || r.Method != http.MethodPost {
		return "", "", false
	}
	parts := strings.Split(r.URL.Path, "/")
	n := len(parts)
	if n < 5 || parts[n-4] != "service" || parts[n-2] != "operation" {
		return "", "", false
	}
	return parts[n-3], parts[n-1], true
}

// maxForm bounds the forms that are parsed in search of an Action; what it names is in the first few hundred bytes of
// every request that Carrel answers.
const maxForm = 64 << 10

// actionForm returns the parameters of a request in the Query protocol.
func actionForm(r *http.Request, body []byte) (url.Values, bool) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Method != http.MethodPost || err != nil || kind != "application/x-www-form-urlencoded" || len(body) > maxForm {
		return nil, false
	}
	form, err := url.ParseQuery(string(body))
	return form, err == nil && form.Has("Action")
}
