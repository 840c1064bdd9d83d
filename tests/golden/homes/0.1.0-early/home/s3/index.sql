PRAGMA user_version = 3;
BEGIN;
CREATE TABLE bucket (
  name TEXT PRIMARY KEY, region TEXT NOT NULL, created_at REAL NOT NULL,
  owner TEXT NOT NULL DEFAULT '', encryption BLOB) WITHOUT ROWID;
CREATE TABLE object (
  bucket TEXT NOT NULL, key BLOB NOT NULL, blob TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
  modified_at REAL NOT NULL, description BLOB NOT NULL, PRIMARY KEY (bucket, key)) WITHOUT ROWID;
CREATE TABLE upload (
  bucket TEXT NOT NULL, key BLOB NOT NULL, id TEXT NOT NULL, begun_at REAL NOT NULL, description BLOB NOT NULL,
  checksum_algorithm TEXT NOT NULL, checksum_type TEXT NOT NULL, PRIMARY KEY (bucket, key, id)) WITHOUT ROWID;
CREATE TABLE part (
  upload TEXT NOT NULL, number INTEGER NOT NULL, blob TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
  modified_at REAL NOT NULL, checksums BLOB NOT NULL, PRIMARY KEY (upload, number)) WITHOUT ROWID;
INSERT INTO bucket VALUES ('tests', 'us-east-1', 1795711757.2034655, '', NULL);
INSERT INTO object VALUES ('tests', CAST('batch/first.csv' AS BLOB), 'c149dfc950ee718e4ca9f896adebf0fd', 9, '5ba18b08b03e39712835147df4983dfc', 1795711757.361108, CAST('{"headers":{"content-type":"binary/octet-stream"},"metadata":{},"checksums":{"crc32":"ZDZkCA=="},"checksum_type":"FULL_OBJECT","parts":[],"encryption":null}' AS BLOB));
INSERT INTO object VALUES ('tests', CAST('batch/second.csv' AS BLOB), 'ba4b93384703db219f3088ad3bb9a990', 3, '519f03d7d7d9a62db27918deb6d8a24d', 1795711757.3961868, CAST('{"headers":{"content-type":"binary/octet-stream"},"metadata":{},"checksums":{"crc32":"j37htw=="},"checksum_type":"FULL_OBJECT","parts":[],"encryption":null}' AS BLOB));
INSERT INTO object VALUES ('tests', CAST('models/done/output/model.tar.gz' AS BLOB), '19cc7b0000bebab92b70b977ba00df22', 144, 'ec7c859d78bf184a104b1bc1ee6c2b1b', 1795711767.0692148, CAST('{"headers":{"content-type":"binary/octet-stream"},"metadata":{},"checksums":{},"checksum_type":"FULL_OBJECT","parts":[],"encryption":null}' AS BLOB));
INSERT INTO object VALUES ('tests', CAST('models/done/output/output.tar.gz' AS BLOB), '4b0925ba70136eb7e3f51b283119f4ad', 133, '57bd6b7a8d33cc9d9067837b52326cb4', 1795711767.040055, CAST('{"headers":{"content-type":"binary/octet-stream"},"metadata":{},"checksums":{},"checksum_type":"FULL_OBJECT","parts":[],"encryption":null}' AS BLOB));
INSERT INTO object VALUES ('tests', CAST('models/validated-profile-e7f65da8/output/model.tar.gz' AS BLOB), 'a57ac0860e54b24ca61c4773a76c362a', 144, 'ec7c859d78bf184a104b1bc1ee6c2b1b', 1795711761.6269133, CAST('{"headers":{"content-type":"binary/octet-stream"},"metadata":{},"checksums":{},"checksum_type":"FULL_OBJECT","parts":[],"encryption":null}' AS BLOB));
INSERT INTO object VALUES ('tests', CAST('models/validated-profile-e7f65da8/output/output.tar.gz' AS BLOB), '3638ce53b3516402ee7c9797a11f7052', 133, '57bd6b7a8d33cc9d9067837b52326cb4', 1795711761.5737894, CAST('{"headers":{"content-type":"binary/octet-stream"},"metadata":{},"checksums":{},"checksum_type":"FULL_OBJECT","parts":[],"encryption":null}' AS BLOB));
INSERT INTO object VALUES ('tests', CAST('out/first.csv.out' AS BLOB), '31732d0f154885fb3c7678c06f509634', 18, '2f01be1a0de93560fae6dcd3cb596be2', 1795711763.5810363, CAST('{"headers":{"content-type":"binary/octet-stream"},"metadata":{},"checksums":{},"checksum_type":"FULL_OBJECT","parts":[],"encryption":null}' AS BLOB));
INSERT INTO object VALUES ('tests', CAST('out/second.csv.out' AS BLOB), '759886e23b389fb008bb3af1833b052c', 6, '7d24c90a89254a5cee1c778e9678e9ed', 1795711763.637062, CAST('{"headers":{"content-type":"binary/octet-stream"},"metadata":{},"checksums":{},"checksum_type":"FULL_OBJECT","parts":[],"encryption":null}' AS BLOB));
INSERT INTO object VALUES ('tests', CAST('train/a.csv' AS BLOB), '23dfe317f56735cc5f6b873bc5ecf1fb', 8, '00f7d50ab4278a7899d7499481c9603a', 1795711757.2691767, CAST('{"headers":{"content-type":"binary/octet-stream"},"metadata":{},"checksums":{"crc32":"r2yTRw=="},"checksum_type":"FULL_OBJECT","parts":[],"encryption":null}' AS BLOB));
INSERT INTO object VALUES ('tests', CAST('train/b.csv' AS BLOB), '4310554c10504f32a2065d0d08bdc066', 4, 'a3cb11bf0789913db5f45b82a2f5344e', 1795711757.2933307, CAST('{"headers":{"content-type":"binary/octet-stream"},"metadata":{},"checksums":{"crc32":"vi8QYA=="},"checksum_type":"FULL_OBJECT","parts":[],"encryption":null}' AS BLOB));
INSERT INTO object VALUES ('tests', CAST('train/deep/c.csv' AS BLOB), '2316007601d9ada6c77b5d403013a7e2', 4, '80133f12689bf6fc5112c62caed90882', 1795711757.318717, CAST('{"headers":{"content-type":"binary/octet-stream"},"metadata":{},"checksums":{"crc32":"iqX1ZQ=="},"checksum_type":"FULL_OBJECT","parts":[],"encryption":null}' AS BLOB));
INSERT INTO upload VALUES ('tests', CAST('joined' AS BLOB), 'Mi-7zRXyaKVl7un5Z7uXuNCnGBuYguMmxSZ2GWpevdA', 1795711767.937196, CAST('{"headers":{"content-type":"binary/octet-stream"},"metadata":{},"checksums":{},"checksum_type":"FULL_OBJECT","parts":[],"encryption":null}' AS BLOB), '', 'COMPOSITE');
INSERT INTO part VALUES ('Mi-7zRXyaKVl7un5Z7uXuNCnGBuYguMmxSZ2GWpevdA', 1, '2ee0abffaa2ef68b2702e5c37ddd0221', 9, '6149edba6c6314d111524541d20b1c98', 1795711768.0296822, CAST('{"crc32":"+CsXXQ=="}' AS BLOB));
COMMIT;
