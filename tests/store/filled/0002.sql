-- What schema 2 can hold beyond schema 1.

INSERT INTO mailbox (name, uidvalidity, last_uid, looked_at, reconciled_at, taken_by, taken_until) VALUES
    ('csm@imap.example.com/INBOX', 4294967295, 7, '2026-03-11T09:00:00.000000+00:00', '2026-03-11T10:00:00.000000+00:00', 'maild-00', '2026-03-11T11:00:00.000000+00:00'),
    ('зоя@imap.example.com/Gesendet/ä', 0, 0, NULL, NULL, NULL, NULL);

INSERT INTO mailbox_uid (mailbox, uidvalidity, uid, digest, fault, fetched_at, moved_at) VALUES
    (1, 4294967295, 6, 'f83335efd66aaee4e2f47e0a37fcbb4b67d147bd27d3c092481c8841aec7c336', '', '2026-03-11T09:00:00.000000+00:00', '2026-03-11T10:00:00.000000+00:00'),
    (1, 4294967295, 7, NULL, 'too large: 🎉', '2026-03-11T09:00:00.000000+00:00', NULL);

INSERT INTO received (digest, mail_from, rcpt, rcpt_key, via, peer, received_at, state, because, no_spam) VALUES
    ('de2fcdc28ac67c4be379074ec4a34277f3f12c95aecd3b8d99325656be6bd45a', '', 'csm@example.com', 'csm@example.com', 'smtp', '192.0.2.1', '2026-03-11T16:00:00.000000+00:00', 'spam', 'X-Spam: yes', '0'),
    ('de2fcdc28ac67c4be379074ec4a34277f3f12c95aecd3b8d99325656be6bd45a', '', 'csm@example.com', 'csm@example.com', 'smtp', '192.0.2.1', '2026-03-11T17:00:00.000000+00:00', 'waiting', 'ann says it is none', '1'),
    ('1391fdc75456601eba3016cd63320d12c334dab19fca3409cb24f62af97503ad', '', 'gone@example.com', 'gone@example.com', 'smtp', '192.0.2.1', '2026-03-11T18:00:00.000000+00:00', 'spam', '', '0');
DELETE FROM received WHERE rcpt = 'gone@example.com';
