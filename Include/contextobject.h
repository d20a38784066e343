/* Context variables: the public API. */
