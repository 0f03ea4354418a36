"""What leaves when something happened: rules, transports, webhooks, mail, feed. Nothing is built here yet."""
