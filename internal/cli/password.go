package cli

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"carrel/internal/workspaces"
)

// passwordFlags are how a command is told a password.
type passwordFlags struct {
	value string
	stdin bool
}

func (p *passwordFlags) declare(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.value, "password", "", "the password; other users of this machine can see it while the command runs")
	cmd.Flags().BoolVar(&p.stdin, "password-stdin", false, "read the password from standard input, or ask for it where that is a terminal")
}

// password is what a command gives to a user.
type password struct {
	text string
	made bool // by Carrel, so that it has to be shown
}

// password returns the password that the flags say or, where they say nothing, a strong one.
func (s *shared) password(ctx context.Context, flags passwordFlags, user string) (password, error) {
	var p password
	var err error
	switch {
	case flags.stdin && flags.value != "":
		return p, usagef("--password and --password-stdin exclude each other")
	case flags.stdin:
		p.text, err = s.readPassword(ctx, user)
	case flags.value != "":
		p.text = flags.value
	default:
		p.made = true
		p.text, err = strongPassword(user)
	}
	if err != nil {
		return p, err
	}
	// Here too, so that a user is not made first whose password is then refused.
	return p, workspaces.CheckPassword(user, p.text)
}

// readPassword reads a line of standard input, without showing it where that is a terminal.
func (s *shared) readPassword(ctx context.Context, user string) (string, error) {
	file, ok := terminal(s.In)
	if !ok {
		line, err := bufio.NewReader(s.In).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	first, err := s.ask(ctx, file, "Password of "+user+": ")
	if err != nil {
		return "", err
	}
	again, err := s.ask(ctx, file, "The same again: ")
	if err == nil && again != first {
		err = errors.New("the two passwords differ; nothing has been changed")
	}
	return first, err
}

// ask asks a question at a terminal that does not show the answer.
func (s *shared) ask(ctx context.Context, file *os.File, question string) (string, error) {
	descriptor := int(file.Fd())
	shown, err := term.GetState(descriptor)
	if err != nil {
		return "", err
	}
	_, _ = fmt.Fprint(s.Err, question)
	defer func() { _, _ = fmt.Fprintln(s.Err) }() // for the Enter that was not shown
	type answer struct {
		text []byte
		err  error
	}
	answers := make(chan answer, 1)
	go func() { // left behind where the context ends first: nothing can end a read of a terminal
		text, err := term.ReadPassword(descriptor)
		answers <- answer{text, err}
	}()
	select {
	case a := <-answers:
		return string(a.text), a.err
	case <-ctx.Done():
		return "", errors.Join(ctx.Err(), term.Restore(descriptor, shown))
	}
}

// legible are letters and digits that are not mistaken for each other.
const legible = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"

// strongPassword draws a password of 116 bits that the directory takes, in groups that can be
// read out.
func strongPassword(user string) (string, error) {
	for {
		groups := make([]string, 4)
		for i := range groups {
			group := make([]byte, 5)
			for j := range group {
				n, err := rand.Int(rand.Reader, big.NewInt(int64(len(legible))))
				if err != nil {
					return "", err
				}
				group[j] = legible[n.Int64()]
			}
			groups[i] = string(group)
		}
		// Now and then one has too few kinds of characters.
		if text := strings.Join(groups, "-"); workspaces.CheckPassword(user, text) == nil {
			return text, nil
		}
	}
}
