package workspaces

import "slices"

// StreamingProperties say how a directory's desktops are streamed and what may cross
// between them and the devices of their users. What is empty was never set.
type StreamingProperties struct {
	PreferredProtocol string // TCP or UDP; kept and shown: browsers stream over TCP
	Permissions       []StreamPermission
	HomeFolder        string            // the storage connector HOME_FOLDER: Enabled or Disabled
	Accelerator       GlobalAccelerator // of the directory
}

// StreamPermission says whether users may do something while they stream.
type StreamPermission struct {
	Action        StreamAction
	Permission    string // Enabled or Disabled
	MaximumLength int    // of what is copied, in characters; 0 where it was not said
}

// StreamAction is what a user does while they stream.
type StreamAction string

// The actions, as the API spells them.
const (
	CopyFromDevice StreamAction = "CLIPBOARD_COPY_FROM_LOCAL_DEVICE"
	CopyToDevice   StreamAction = "CLIPBOARD_COPY_TO_LOCAL_DEVICE"
	PrintToDevice  StreamAction = "PRINTING_TO_LOCAL_DEVICE"
	SmartCard      StreamAction = "SMART_CARD"
)

// MaxCopied is how many characters may be copied at once where nothing else was said, and at
// most. Source: UserSetting of Amazon AppStream 2.0, which WorkSpaces took over.
const MaxCopied = 20_971_520

// SetPermissions sets what is said of the actions; others stay as they are.
func (p *StreamingProperties) SetPermissions(permissions []StreamPermission) error {
	for i, s := range permissions {
		switch clipboard := s.Action == CopyFromDevice || s.Action == CopyToDevice; {
		case slices.ContainsFunc(permissions[:i], func(o StreamPermission) bool { return o.Action == s.Action }):
			return Errorf(CodeInvalidParameter, "The action %s is given twice.", s.Action)
		case s.MaximumLength != 0 && (!clipboard || s.Permission != Enabled):
			return Errorf(CodeInvalidParameter, "MaximumLength can be given only for a clipboard action that is ENABLED.")
		case s.MaximumLength < 0 || s.MaximumLength > MaxCopied:
			return Errorf(CodeInvalidParameter, "MaximumLength must be between 1 and %d.", MaxCopied)
		}
	}
	p.Permissions = slices.Clone(p.Permissions)
	for _, s := range permissions {
		if i := p.find(s.Action); i >= 0 {
			p.Permissions[i] = s
		} else {
			p.Permissions = append(p.Permissions, s)
		}
	}
	return nil
}

func (p StreamingProperties) find(action StreamAction) int {
	return slices.IndexFunc(p.Permissions, func(s StreamPermission) bool { return s.Action == action })
}

// ClipboardIn returns how many characters of text may be copied at once from a user's device
// to their desktop, 0 where that is not allowed.
func (p StreamingProperties) ClipboardIn() int { return p.copyable(CopyFromDevice) }

// ClipboardOut is ClipboardIn for the way back.
func (p StreamingProperties) ClipboardOut() int { return p.copyable(CopyToDevice) }

// FilesIn reports whether a user may put files of their device on their desktop. They go to
// the home folder, and where text does.
func (p StreamingProperties) FilesIn() bool { return p.HomeFolder != Disabled && p.ClipboardIn() > 0 }

// FilesOut is FilesIn for the way back.
func (p StreamingProperties) FilesOut() bool { return p.HomeFolder != Disabled && p.ClipboardOut() > 0 }

func (p StreamingProperties) copyable(action StreamAction) int {
	i := p.find(action)
	switch {
	case i < 0:
		return MaxCopied
	case p.Permissions[i].Permission != Enabled:
		return 0
	case p.Permissions[i].MaximumLength == 0:
		return MaxCopied
	default:
		return p.Permissions[i].MaximumLength
	}
}
