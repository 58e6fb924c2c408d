-- Which ticket went into which, and which belong together.

ALTER TABLE ticket ADD COLUMN merged_into INTEGER REFERENCES ticket (number); -- where all that comes for it goes
CREATE INDEX ticket_merged ON ticket (merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE link (
    id INTEGER PRIMARY KEY NOT NULL,
    ticket INTEGER NOT NULL REFERENCES ticket (number), -- the lower number of the two
    other INTEGER NOT NULL REFERENCES ticket (number),
    UNIQUE (ticket, other)
) STRICT;
CREATE INDEX link_other ON link (other, ticket);

INSERT INTO link (ticket, other)
SELECT DISTINCT min(event.ticket, ticket.number), max(event.ticket, ticket.number)
FROM event JOIN ticket ON ticket.number = CASE event.what WHEN 'linked' THEN json_extract(event.data, '$.to') END
WHERE event.ticket <> ticket.number ORDER BY 1, 2;
