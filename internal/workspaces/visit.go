package workspaces

// TakesVisits reports whether a user may connect to a WorkSpace in this state.
func (s State) TakesVisits() bool { return s == Available }

// KeepsVisits reports whether a user who is connected may stay: also where the desktop has
// stopped answering others, which may be a moment's weakness.
func (s State) KeepsVisits() bool { return s == Available || s == Unhealthy || s == Impaired }

// LocksOut reports whether users may not connect to a WorkSpace in this state although its
// desktop runs.
func (s State) LocksOut() bool { return s == AdminMaintenance || s == Maintenance }
