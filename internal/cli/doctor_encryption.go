package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"carrel/internal/control"
)

// encryption looks at whether the server's cryptography is what its directories ask for.
func (*doctor) encryption(ctx context.Context, r *remote) finding {
	const what = "encryption"
	body, err := r.get(ctx, "/_carrel/encryption")
	var e control.Encryption
	if err == nil {
		err = json.Unmarshal(body, &e)
	}
	if err != nil {
		return finding{statusWarn, what, err.Error(), "see the server's log"}
	}
	mode := "not in FIPS mode"
	if e.FIPS {
		mode = "in FIPS mode"
	}
	found := fmt.Sprintf("%s, with the module %s", mode, e.Module)
	if e.Directories == 0 {
		return okf(what, "%s", found)
	}
	found += fmt.Sprintf("; FIPS_VALIDATED directories: %d", e.Directories)
	switch {
	case !e.FIPS:
		return finding{
			statusWarn, what, found + ", which take approved cipher suites only, though this program's cryptography is not the module in its FIPS mode",
			"GODEBUG=fips140=on carrel serve …, of a program that was built with GOFIPS140=v1.0.0",
		}
	case e.Module == "latest":
		return finding{statusWarn, what, found + ", though this version of it is not one that is validated", "build the program with GOFIPS140=v1.0.0"}
	default:
		return okf(what, "%s", found)
	}
}
