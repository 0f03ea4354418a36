"""What leaves when something happened: rules, transports, notifications. Webhooks, mail and feed are not built yet."""
