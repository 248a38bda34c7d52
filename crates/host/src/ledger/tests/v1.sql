-- The rows of a ledger of schema version 1, every table filled. Written once and never edited: it stands for the files that
-- people have. What they mean is in schema.rs beside this file.
BEGIN;
INSERT INTO integrations VALUES (X'00000000000000000000000000001001', 'gitlab', 'Work', 'work', NULL, '{"api_url":"https://gitlab.example"}', X'00000000000000000000000000002001',
    'first line' || char(10) || 'second', '2026-11-20T23:59:59.123456789Z');
INSERT INTO keys VALUES (X'00000000000000000000000000002001', X'00000000000000000000000000001001', 'CI', 'ci', 'personal-token', '{"read_only":"yes"}', '["api","read_user"]', 'äda',
    X'00000000000000000000000000003002', '["night build"]', 0, '2026-11-20T23:59:59.123456789Z');
INSERT INTO versions VALUES (X'00000000000000000000000000003001', X'00000000000000000000000000002001', 'revoked', 'keychain', NULL, 'kt-0123456789ab', 'policy',
    '2026-11-21T00:01:28.123456789Z', '90 days from creation', 1, '2026-11-20T23:59:59.123456789Z', 1, NULL, NULL, NULL, NULL,
    '2026-11-21T00:00:07.123456789Z', '2026-11-20T23:59:59.123456789Z');
INSERT INTO versions VALUES (X'00000000000000000000000000003002', X'00000000000000000000000000002001', 'current', 'keychain', '43', 'kt-0123456789ab', 'typed', '2027-02-28', NULL, 2,
    '2026-11-21T00:00:00.123456789Z', 1, X'00000000000000000000000000005001', 'alive', '2026-11-21T00:00:01.123456789Z',
    'GET / answered 200', NULL, '2026-11-21T00:00:00.123456789Z');
INSERT INTO destinations VALUES (X'00000000000000000000000000004001', X'00000000000000000000000000002001', '{"kind":"person","line":"Paste it into the router"}',
    '{"state":"attested","version":"00000000-0000-0000-0000-000000003002","at":"2026-11-21T00:00:02.123456789Z"}', '2026-11-20T23:59:59.123456789Z');
INSERT INTO rotations VALUES (X'00000000000000000000000000005001', X'00000000000000000000000000002001', 'done', 2, '2026-11-20T23:59:59.123456789Z', '2026-11-21T00:00:07.123456789Z');
INSERT INTO journal VALUES (X'00000000000000000000000000005001', 1, '2026-11-20T23:59:59.123456789Z',
    '{"event":"started","terms":{"engine":1,"purpose":"replace","make":"api","retire":"person","old":{"slots":2},"lists":true,"marks":true,"verifies":true,"make_needs_old":false,"list_needs_key":false,"retire_needs_id":true,"settle_seconds":30,"linger_seconds":600,"old_version":"00000000-0000-0000-0000-000000003001","old_remote_id":"42","old_expires_at":"2026-11-21T00:01:28.123456789Z","destinations":[{"id":"00000000-0000-0000-0000-000000004001","reach":"person"}],"waive_soak":false,"manifest_hash":"abababababababababababababababababababababababababababababababab"}}');
INSERT INTO journal VALUES (X'00000000000000000000000000005001', 2, '2026-11-21T00:00:00.123456789Z', '{"event":"stuck","why":"the disk was full"}');
INSERT INTO activity VALUES (1, '2026-11-21T00:00:07.123456789Z', 'rotated', X'00000000000000000000000000002001', X'00000000000000000000000000005001', 'replaced');
INSERT INTO consents VALUES ('manifest', 'mine', 'aa', '2026-11-20T23:59:59.123456789Z');
INSERT INTO notices VALUES (X'00000000000000000000000000003002', 2, '7d', 'covered', '2026-11-21T00:00:03.123456789Z');
INSERT INTO snoozes VALUES (X'00000000000000000000000000002001', '2026-11-21T00:00:58.123456789Z');
COMMIT;
