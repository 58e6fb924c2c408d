-- Rows for every table of schema 1, for both engines: x'' is written as the engine wants it. Numbers that the engine
-- gives are left to it, and the highest of each is deleted: it must not be given again.

INSERT INTO octets (digest, zstd, size) VALUES
    ('f83335efd66aaee4e2f47e0a37fcbb4b67d147bd27d3c092481c8841aec7c336', x'28b52ffd20139900005375626a6563743a20780d0a0d0a68656c6c6f', 19),
    ('de2fcdc28ac67c4be379074ec4a34277f3f12c95aecd3b8d99325656be6bd45a', x'28b52ffd20339901005375626a6563743a205374c3b672756e6720e29c930d0a0d0ad0b4d0bed0b1d180d18bd0b920d0b4d0b5d0bdd18c20f09f8e89', 51),
    ('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', x'28b52ffd2000010000', 0),
    ('1391fdc75456601eba3016cd63320d12c334dab19fca3409cb24f62af97503ad', x'28b52ffd201ad100005375626a6563743a206f75740d0a0d0a77652068617665206974', 26);

INSERT INTO received (digest, mail_from, rcpt, rcpt_key, via, peer, received_at, state, attempts, retry_at, taken_by,
    taken_until, fault, done_at, because) VALUES
    ('f83335efd66aaee4e2f47e0a37fcbb4b67d147bd27d3c092481c8841aec7c336', 'ann@acme.example', 'CSM@example.com', 'csm@example.com', 'smtp', '192.0.2.1', '2026-03-11T09:00:00.000000+00:00', 'done', 1, NULL, NULL, NULL, '', '2026-03-11T10:00:00.000001+00:00', ''),
    ('f83335efd66aaee4e2f47e0a37fcbb4b67d147bd27d3c092481c8841aec7c336', 'ann@acme.example', 'support@example.com', 'support@example.com', 'smtp', '2001:db8::1', '2026-03-11T09:00:00.000000+00:00', 'done', 1, NULL, NULL, NULL, '', '2026-03-11T10:00:00.000000+00:00', ''),
    ('de2fcdc28ac67c4be379074ec4a34277f3f12c95aecd3b8d99325656be6bd45a', 'зоя@пример.example', 'csm+tök€n@example.com', 'csm+tök€n@example.com', 'lmtp', '', '2026-03-11T11:00:00.000000+00:00', 'waiting', 2, '2026-03-11T12:00:00.000000+00:00', 'maild-00', '2026-03-11T13:00:00.000000+00:00', 'fault; with -- both '' and "🎉"', NULL, ''),
    ('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '', 'csm@example.com', 'csm@example.com', 'file', '', '1999-12-31T23:59:59.999999+00:00', 'quarantined', 3, NULL, NULL, NULL, 'ValueError: no', '9999-12-31T23:59:59.999999+00:00', ''),
    ('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '', 'csm@example.com', 'csm@example.com', 'file', '', '9999-12-31T23:59:59.999999+00:00', 'dropped', 2147483647, NULL, NULL, NULL, '', '2026-03-11T14:00:00.000000+00:00', 'spam, says bob'),
    ('de2fcdc28ac67c4be379074ec4a34277f3f12c95aecd3b8d99325656be6bd45a', '', 'gone@example.com', 'gone@example.com', 'smtp', '', '2026-03-11T15:00:00.000000+00:00', 'waiting', 0, NULL, NULL, NULL, '', NULL, '');
INSERT INTO received (digest, mail_from, rcpt, rcpt_key, via, peer, received_at) VALUES
    ('1391fdc75456601eba3016cd63320d12c334dab19fca3409cb24f62af97503ad', 'x@y.example', 'gone@example.com', 'gone@example.com', 'smtp', '', '2026-03-11T15:00:00.000000+00:00');
DELETE FROM received WHERE rcpt = 'gone@example.com';

INSERT INTO party (address, name, first_seen, last_seen, failed_at) VALUES
    ('ann@acme.example', 'Ann A.', '1999-12-31T23:59:59.999999+00:00', '2026-03-11T09:00:00.000000+00:00', NULL),
    ('зоя@пример.example', 'Зоя 🎉', '2026-03-11T09:00:00.000000+00:00', '2026-03-11T09:00:00.000000+00:00', '2026-03-11T10:00:00.000000+00:00');

INSERT INTO ticket (number, mailbox, subject, state, severity, severity_because, requester_name, requester_address,
    participants, assignee, opened_at, opened_by, root_id, policy, resolved_at, closed_at, first_response_at,
    first_response_evidence, revision) VALUES
    (1001, 'csm@example.com', 'Checkout é down', 'new', 'urgent', '["says “down”"]', 'Ann A.', 'Ann@acme.example', '["ann@acme.example"]', NULL, '2026-03-11T09:00:00.000000+00:00', 'customer', 't1001@example.com', '', NULL, NULL, NULL, '', 1),
    (1002, 'csm@example.com', '', 'open', 'high', '[]', '', 'b@acme.example', '[]', 'ann', '2026-03-11T09:00:00.000000+00:00', 'agent', 't1002@example.com', 'gold', NULL, NULL, '2026-03-11T10:00:00.000000+00:00', 'ann answered', 9223372036854775807),
    (1003, 'csm@example.com', '🎉', 'pending', 'normal', '[]', 'Зоя', 'зоя@пример.example', '["зоя@пример.example"]', 'bob', '2026-03-11T09:00:00.000000+00:00', 'customer', 't1003@example.com', '', NULL, NULL, '2026-03-11T10:00:00.000000+00:00', 'x', 3),
    (1004, 'csm@example.com', 'r', 'resolved', 'low', '[]', '', 'c@acme.example', '[]', 'bob', '1999-12-31T23:59:59.999999+00:00', 'customer', 't1004@example.com', '', '2026-03-11T12:00:00.000000+00:00', NULL, '2026-03-11T10:00:00.000000+00:00', 'x', 4),
    (1007, 'csm@example.com', 'c', 'closed', 'low', '[]', '', 'c@acme.example', '[]', NULL, '1999-12-31T23:59:59.999999+00:00', 'customer', 't1007@example.com', '', '2026-03-11T12:00:00.000000+00:00', '2026-03-11T13:00:00.000000+00:00', NULL, '', 5);

INSERT INTO participant (ticket, address) VALUES
    (1001, 'ann@acme.example'), (1001, 'bob@acme.example'), (1003, 'зоя@пример.example');

INSERT INTO message (id, ticket, message_id, at, sender_name, sender_address, sender_key, kind, verified, placed_because,
    subject, text, digest, body_digest) VALUES
    (1, 1001, 'a@acme.example', '2026-03-11T09:00:00.000000+00:00', 'Ann A.', 'Ann@acme.example', 'ann@acme.example', 'customer', 'dmarc', 'no reference is known', 'Checkout é down', 'it is	down', 'f83335efd66aaee4e2f47e0a37fcbb4b67d147bd27d3c092481c8841aec7c336', 'b0'),
    (2, 1003, '', '2026-03-11T09:00:00.000000+00:00', 'Зоя', 'зоя@пример.example', 'зоя@пример.example', 'customer', '', 'x', '🎉', '', 'de2fcdc28ac67c4be379074ec4a34277f3f12c95aecd3b8d99325656be6bd45a', 'b1'),
    (4, 1003, '', '2026-03-11T09:00:00.000000+00:00', 'Зоя', 'зоя@пример.example', 'зоя@пример.example', 'customer', '', 'x', '🎉', '', NULL, 'b1');

INSERT INTO message_recipient (message, rcpt) VALUES
    (1, 'csm@example.com'), (1, 'support@example.com'), (2, 'csm@example.com');

INSERT INTO reference (msgid, ticket, kind) VALUES
    ('a@acme.example', 1001, 'seen'), ('a@acme.example', 1003, 'seen'), ('a@acme.example', 1003, 'named'),
    ('t1001@example.com', 1001, 'own');

INSERT INTO clock (ticket, metric, cycle, calendar_name, target_seconds, limit_seconds, started_at, target_at, limit_at,
    state, stopped_at, breached_at, by_reclassification, elapsed_seconds, paused_seconds, spans, next_at, taken_by,
    taken_until) VALUES
    (1001, 'first_response', 1, 'always', 900, 1800, '2026-03-11T09:00:00.000000+00:00', '2026-03-11T10:00:00.000000+00:00', '2026-03-11T11:00:00.000000+00:00', 'running', NULL, NULL, '0', NULL, 0, '[["2026-03-11T09:00:00.000000+00:00", null]]', '2026-03-11T10:00:00.000000+00:00', NULL, NULL),
    (1001, 'resolution', 1, 'weekdays', 3600, 3600, '2026-03-11T09:00:00.000000+00:00', '2026-03-11T10:00:00.000000+00:00', '2026-03-11T10:00:00.000000+00:00', 'breached', NULL, '2026-03-11T10:00:00.000001+00:00', '1', NULL, 0, '[["2026-03-11T09:00:00.000000+00:00", null]]', NULL, 'maild-00', '2026-03-11T13:00:00.000000+00:00'),
    (1003, 'resolution', 1, 'weekdays', 3600, 3600, '2026-03-11T09:00:00.000000+00:00', NULL, NULL, 'paused', NULL, NULL, '0', NULL, 7, '[]', NULL, NULL, NULL),
    (1004, 'next_response', 2, 'always', 900, 900, '2026-03-11T09:00:00.000000+00:00', '2026-03-11T10:00:00.000000+00:00', '2026-03-11T10:00:00.000000+00:00', 'met', '2026-03-11T10:00:00.000000+00:00', NULL, '0', 3600, 0, '[["2026-03-11T09:00:00.000000+00:00", "2026-03-11T10:00:00.000000+00:00"]]', NULL, NULL, NULL);

INSERT INTO escalation (ticket, metric, cycle, level, at, because) VALUES
    (1001, 'resolution', 1, 'limit', '2026-03-11T10:00:00.000000+00:00', 'the limit is over'),
    (1001, 'resolution', 1, 'limit+100%', '2026-03-11T11:00:00.000000+00:00', 'twice');

INSERT INTO outbox (key, kind, ticket, envelope_from, rcpt, message_id, digest, not_before, attempts, sent_at, failed_at,
    last_reply, taken_by, created_at) VALUES
    ('k1', 'ack', 1001, '', 'ann@acme.example', 'o1@example.com', '1391fdc75456601eba3016cd63320d12c334dab19fca3409cb24f62af97503ad', '2026-03-11T09:00:00.000000+00:00', 1, '2026-03-11T09:00:00.000000+00:00', NULL, '250 ok', NULL, '2026-03-11T09:00:00.000000+00:00'),
    ('k2', 'relay', 1003, 'csm@example.com', 'зоя@пример.example', 'o2@example.com', '1391fdc75456601eba3016cd63320d12c334dab19fca3409cb24f62af97503ad', '2026-03-11T09:00:00.000000+00:00', 48, NULL, '2026-03-11T10:00:00.000000+00:00', '550 nein ✗', NULL, '2026-03-11T09:00:00.000000+00:00'),
    ('k3', 'notification', NULL, '', 'bob@staff.example', 'o3@example.com', '1391fdc75456601eba3016cd63320d12c334dab19fca3409cb24f62af97503ad', '2026-03-11T09:00:00.000000+00:00', 0, NULL, NULL, '', 'maild-00', '2026-03-11T09:00:00.000000+00:00'),
    ('gone', 'notification', NULL, '', 'bob@staff.example', 'o4@example.com', '1391fdc75456601eba3016cd63320d12c334dab19fca3409cb24f62af97503ad', '2026-03-11T09:00:00.000000+00:00', 0, NULL, NULL, '', NULL, '2026-03-11T09:00:00.000000+00:00');
DELETE FROM outbox WHERE key = 'gone';

INSERT INTO event (ticket, at, actor, what, because, data) VALUES
    (1001, '2026-03-11T09:00:00.000000+00:00', 'maild', 'opened', 'a new mail', '{"n": [1, {"x": null}], "é": "ü"}'),
    (1001, '2026-03-11T10:00:00.000000+00:00', 'ann', 'assigned', '', '{}'),
    (1003, '2026-03-11T10:00:00.000000+00:00', 'gone', 'opened', '', '{}');
DELETE FROM event WHERE actor = 'gone';

INSERT INTO sequence (name, next) VALUES ('ticket', 1008), ('own id', 9223372036854775807);

INSERT INTO secret (purpose, key, created_at, retired_at) VALUES
    ('token', x'00ff10', '1999-12-31T23:59:59.999999+00:00', '2026-03-11T09:00:00.000000+00:00'), ('token', x'c0ffee0000000000000000000000000000000000000000000000000000000000', '2026-03-11T09:00:00.000000+00:00', NULL);
