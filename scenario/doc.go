// Package scenario is Carrel's behaviour from end to end, as testdata/*.txtar that can be
// read without Go: the real program as a process of its own, and the clients that its
// users have. It holds tests only.
//
// A scenario runs on simulated desktops, and, where its name ends in _engines, once more
// on real Incus. Beside the commands of testscript it can use:
//
//	serve [-FLAG…]        start carrel serve on this scenario's engine, and set the environment as carrel env does
//	shutdown              stop the server as an administrator does
//	crash                 kill the server as a crash does
//	await ID STATE        wait until a WorkSpace has the state; GONE: until it does not exist
//	await-modified ID STATE       wait until nothing of a WorkSpace is being modified, and it has the state
//	keep ID DURATION      move the clock on, and wait until the WorkSpace's volumes were kept since
//	control PATH BODY     POST to a control endpoint
//	put-file ID VOLUME NAME TEXT    write a file onto a desktop's root or home volume
//	file ID VOLUME NAME TEXT        fail unless the file holds the text; "": unless it is not there
//	await-application ID APPLICATION STATE    wait until an application has the state in a WorkSpace
//	await-image ID STATE  wait until an image has the state
//	await-pool ID STATE   wait until a pool has the state; GONE: until it does not exist
//	await-capacity ID AVAILABLE ACTIVE    wait until so many desktops of a pool are available, and so many in use
//	desktops N            wait until the engine has so many desktops, all of which answer; stdout is their ids
//	engine-image ID there|gone    wait until the engine has the image, or has it no more
//	sign-in CODE USER PASSWORD    sign in to the portal for the commands that follow
//	sign-in-at HOST USER PASSWORD sign in under the host name of a connection alias, which stays the browser's
//	await-standby PRIMARY STATE   wait until the standby WorkSpace has the state, and the files of the primary's latest snapshot
//	ask METHOD PATH [BODY]        ask the portal; stdout is the status and what was answered
//	connect ID [share]    open the desktop's stream in the portal, in the place of others or beside them
//	cut-off CODE…         wait until the oldest open stream has been ended with one of the WebSocket's codes
//	connection ID STATE   wait until DescribeWorkspacesConnectionStatus says so
//	leave                 close the oldest open stream, as a tab does
//	remains ID STATE      fail unless a WorkSpace has the state a second later
//	hear ID USER          fail unless the desktop's sound is to be heard
//	nothing-left          fail if the engine still has anything of this scenario's
//
// and the conditions [simulated] and [incus]: this is the engine; [terraform]: CARREL_TEST_TERRAFORM is 1, and Terraform and its AWS provider are to be had;
// [command-line]: there is an AWS CLI that knows all operations;
// [moto]: python3 has moto with its server; and
// [javascript]: there are Node.js 20 or newer, and in javascript, whose path is $JAVASCRIPT, the packages that npm installs.
//
// TestPerson is one more, in Go: a person in a headless Chromium, at work in a real desktop.
package scenario
