package gateway

// brand is what an organisation's pages look like.
type brand struct {
	Logo           string // address of a picture
	Message        string
	SupportEmail   string
	SupportLink    string
	ForgotPassword string
}
