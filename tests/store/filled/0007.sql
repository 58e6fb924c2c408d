-- What schema 7 can hold beyond schema 6.

INSERT INTO digest_told (message_id, ticket, metric, cycle) VALUES
    ('maild.0.abc@example.com', 1001, 'first_response', 1),
    ('maild.0.abc@example.com', 1002, 'resolution', 2),
    ('maild.0.é@example.com', 1001, 'first_response', 1);
