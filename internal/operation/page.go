package operation

import (
	"context"
	"slices"
	"strconv"

	"carrel/internal/operation/cursor"
	"carrel/internal/workspaces"
)

// MaxPage is the most that one page of a list holds, and how many it holds where the
// request does not say. Source: the Limit and MaxResults members of the Describe operations.
const MaxPage = 25

// list names what a request lists, for its tokens: an operation, the caller's partition and
// what the request asks for. The size of a page is none of it: it may change on the way.
func list(ctx context.Context, operation string, criteria ...[]string) []string {
	scope := Scope(ctx)
	about := []string{operation, scope.Account, scope.Region}
	for _, c := range criteria {
		about = slices.Concat(about, []string{strconv.Itoa(len(c))}, c)
	}
	return about
}

// PageToken makes the NextToken of a list that goes on behind a position. About is what the
// list is of: a token is good only for the request that it came from.
func PageToken(position int64, about ...string) *string {
	if position == 0 {
		return nil
	}
	return cursor.Token(strconv.FormatInt(position, 36), about...)
}

// PagePosition reads a NextToken, nil for the first page.
func PagePosition(token *string, about ...string) (int64, error) {
	if token == nil {
		return 0, nil
	}
	key, err := cursor.Key(token, about...)
	if err != nil {
		return 0, err
	}
	position, err := strconv.ParseInt(key, 36, 64)
	if err != nil || position <= 0 {
		return 0, workspaces.Errorf(workspaces.CodeInvalidNextToken, "Invalid value passed for the NextToken parameter: it is not one that this request was given.")
	}
	return position, nil
}

// PageSize returns how many a page holds.
func PageSize(limit *int32) int {
	if limit == nil {
		return MaxPage
	}
	return int(*limit)
}
