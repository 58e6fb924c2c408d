-- What schema 3 can hold beyond schema 2.

UPDATE message SET base_subject = 'grüße, es geht nicht', thread_index = '01d1f2a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5' WHERE id = (SELECT min(id) FROM message);
