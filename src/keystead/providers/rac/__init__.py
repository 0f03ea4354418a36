"""Remote access: machines that people reach in the browser; the connections themselves are not built yet."""
