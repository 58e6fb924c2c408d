-- What schema 6 can hold beyond schema 5.

INSERT INTO digest_item (key, agent, address, ticket, metric, cycle, level, severity, title, limit_seconds, reached_at,
    due_at, at, send_at, quiet, because) VALUES
    ('escalation:1001:first_response:1:limit:ann', 'ann', 'ann@example.com', 1001, 'first_response', 1, 'limit', 'urgent', 'Acme: Checkout é down', 1800, '2026-03-11T09:30:00.000000+00:00', '2026-03-11T09:30:00.000000+00:00', '2026-03-11T09:30:00.000001+00:00', '2026-03-11T09:30:00.000001+00:00', '0', '6 at once, more than 5'),
    ('escalation:1002:resolution:2:75%:bob', 'bob', 'bob@example.com', 1002, 'resolution', 2, '75%', 'low', '🎉', 9223372036854775807, '2026-03-11T09:00:00.000000+00:00', '9999-12-31T23:59:59.999999+00:00', '2026-03-11T09:00:00.000000+00:00', '2026-03-12T06:00:00.000000+00:00', '1', 'quiet hours');
