package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func newEnv(s *shared) *cobra.Command {
	return &cobra.Command{
		Use:   "env",
		Short: "Print the shell's lines that make the AWS CLI and SDKs talk to this Carrel",
		Long: "Print the shell's lines that make the AWS CLI and SDKs talk to the server of the data folder: its endpoint,\n" +
			"region and administrator key, the default network as CARREL_VPC_ID and CARREL_SUBNET_IDS, and with\n" +
			"carrel serve --tls-self-signed the authority to trust, as AWS_CA_BUNDLE.",
		Example: "  eval \"$(carrel env)\"\n  aws workspaces describe-workspaces",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			lines, err := s.environment()
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(s.Out, lines)
			return err
		},
	}
}

// environment is what a shell evaluates.
func (s *shared) environment() (string, error) {
	folder := s.config.Folder()
	server, err := folder.Server()
	if err != nil {
		return "", err
	}
	id, secret, err := folder.Key()
	if err != nil {
		return "", err
	}
	var lines strings.Builder
	for _, v := range []struct{ name, value string }{
		{"AWS_ENDPOINT_URL", server.Endpoint},
		{"AWS_ACCESS_KEY_ID", id},
		{"AWS_SECRET_ACCESS_KEY", secret},
		{"AWS_REGION", server.Region},
		{"AWS_DEFAULT_REGION", server.Region},
		{"CARREL_VPC_ID", server.VPCID},
		{"CARREL_SUBNET_IDS", strings.Join(server.SubnetIDs, ",")},
	} {
		fmt.Fprintf(&lines, "export %s=%s\n", v.name, quote(v.value))
	}
	if server.Authority != "" {
		fmt.Fprintf(&lines, "export AWS_CA_BUNDLE=%s\n", quote(server.Authority))
	}
	// A session token goes into every signature, and a profile comes before the keys.
	lines.WriteString("unset AWS_SESSION_TOKEN AWS_PROFILE\n")
	return lines.String(), nil
}

// quote makes a text one word of a POSIX shell.
func quote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
