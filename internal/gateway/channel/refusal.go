package channel

import (
	"context"
	"errors"
	"net/http"
	"os"

	"carrel/internal/compute"
	"carrel/internal/gateway"
	"carrel/internal/sidechannel"
)

var (
	errNoFilesIn  = errors.New("no files into desktops")
	errNoFilesOut = errors.New("no files out of desktops")
	errBusy       = errors.New("too many requests at once")
	errMethod     = errors.New("no such method")
)

// refusal is what a person is told of an error.
type refusal struct {
	err         error
	status      int
	title, text string
}

// refusals are looked through in this order.
func refusals() []refusal {
	return []refusal{
		{errNoFilesIn, http.StatusForbidden, "No files to this desktop.", "Your organisation does not let files be put on its desktops."},
		{errNoFilesOut, http.StatusForbidden, "No files from this desktop.", "Your organisation does not let files be taken from its desktops."},
		{errBusy, http.StatusTooManyRequests, "Too many at once.", "Other files of this desktop are on their way. Try again when they are through."},
		{errMethod, http.StatusMethodNotAllowed, "That cannot be done.", "Files can be put and taken, and nothing else."},
		{sidechannel.ErrName, http.StatusBadRequest, "This name cannot be used.", "A file's name has at most 255 bytes, and no slashes or line breaks."},
		{sidechannel.ErrNoFile, http.StatusNotFound, "No such file.", "It may have been moved or removed in the desktop."},
		{sidechannel.ErrDenied, http.StatusForbidden, "The desktop refuses.", "You may not do this in that folder of the desktop."},
		{sidechannel.ErrTooLarge, http.StatusRequestEntityTooLarge, "The file is too large.", "This Carrel takes smaller files only."},
		{sidechannel.ErrNoRoom, http.StatusInsufficientStorage, "No room for the file.", "The desktop's user volume is full. Remove something, or ask for a larger one."},
		{sidechannel.ErrTaken, http.StatusConflict, "No free name for the file.", "Too many files in the folder have this name."},
		{compute.ErrNotFound, http.StatusNotFound, "No such desktop.", "It may have been removed."},
		{compute.ErrNotRunning, http.StatusConflict, "The desktop does not run.", "Connect to it first."},
		{compute.ErrUnavailable, http.StatusServiceUnavailable, "The desktop cannot be reached.", "Try again in a moment. A desktop made of an older image has to be rebuilt first."},
		{sidechannel.ErrReply, http.StatusBadGateway, "The desktop did not answer properly.", "Try again; if that does not help, restart the desktop."},
		{os.ErrDeadlineExceeded, http.StatusRequestTimeout, "It took too long.", "The line from your device stood still. Try again."},
	}
}

// refuse says why not. An error of none of the kinds is that of a browser that has gone, or our own.
func (c *Channels) refuse(w http.ResponseWriter, r *http.Request, v gateway.Visit, err error) {
	if errors.As(err, new(*http.MaxBytesError)) {
		err = sidechannel.ErrTooLarge
	}
	if why, ok := errors.AsType[cut](err); ok {
		refusal{status: http.StatusForbidden, title: "That has ended.", text: string(why)}.answer(w)
		return
	}
	c.Log.DebugContext(r.Context(), "a file did not get across", "workspace", v.Desktop.ID, "user", v.User, "error", err)
	for _, known := range refusals() {
		if errors.Is(err, known.err) {
			known.answer(w)
			return
		}
	}
	if !errors.Is(err, context.Canceled) && r.Context().Err() == nil {
		c.Log.WarnContext(r.Context(), "a request beside the screen failed", "workspace", v.Desktop.ID, "error", err)
	}
	refusal{status: http.StatusBadRequest, title: "The file did not get across.", text: "The line broke. Try again."}.answer(w)
}

func (f refusal) answer(w http.ResponseWriter) {
	reply(w, f.status, map[string]string{"title": f.title, "text": f.text})
}
