"""What leaves: rules, transports, notifications, mail, webhooks. The feed of events is not built yet."""
