"""What leaves: rules, transports, notifications, mail. Webhooks and feed are not built yet."""
