-- What schema 4 can hold beyond schema 3.

UPDATE ticket SET merged_into = 1001 WHERE number = 1007;
INSERT INTO link (ticket, other) VALUES (1001, 1003), (1001, 1004);
