-- What a reply without a known Message-ID is placed by: its subject, Outlook's index, who wrote where.

ALTER TABLE message ADD COLUMN base_subject TEXT NOT NULL DEFAULT '';
ALTER TABLE message ADD COLUMN thread_index TEXT NOT NULL DEFAULT ''; -- its first 22 octets, in hex

CREATE INDEX message_subject ON message (base_subject, at) WHERE base_subject <> '';
CREATE INDEX message_thread_index ON message (thread_index, at) WHERE thread_index <> '';
CREATE INDEX message_sender ON message (sender_key, at);
-- What bears no Message-ID is known by its octets.
CREATE INDEX message_nameless ON message (digest) WHERE message_id = '';
