"""What leaves when something happened: rules, transports, notifications, mail. Webhooks and feed are not built yet."""
