package incus_test

const childVariable = "CARREL_TEST_CHILD"

func child() {}
