-- What schema 5 can hold beyond schema 4.

INSERT INTO setting (name, value) VALUES ('basis', 'an older one'), ('another', 'grüße');
