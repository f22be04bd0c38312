-- A workspace's tables and rows as schema version 1 wrote them. Never changes: migrations start from here.
CREATE TABLE definitions (
  id INTEGER PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  body TEXT NOT NULL
);
INSERT INTO definitions VALUES(1,'8aacdae44a15f8d28e65ce17bbd50109ff079df053bd88e80b652af2b9b6f1a9','{"apt":null,"azureml_v1":null,"base":{"image":"debian:12-slim"},"conda":{"channels":[{"text":"conda-forge"}],"dependencies":[{"text":"python=3.11"},{"text":"numpy=1.26"}],"name":"","nodefaults":false,"platforms":[],"variables":{}},"environment_variables":{},"files":[],"format":1,"inference":null,"os_type":"linux","pip":null}');
INSERT INTO definitions VALUES(2,'495550c2c4cc55dcc36ffcc2e365c20f3a38cd847734dccaa6f8858067d0adf5','{"apt":null,"azureml_v1":null,"base":{"image":"debian:12-slim"},"conda":{"channels":[{"text":"conda-forge"}],"dependencies":[{"text":"python=3.12"}],"name":"","nodefaults":false,"platforms":[],"variables":{}},"environment_variables":{},"files":[],"format":1,"inference":null,"os_type":"linux","pip":null}');
INSERT INTO definitions VALUES(3,'11c031b6b6a6867ce7e739def750ba1e9bda41bd272e399039af68771139b97c','{"apt":null,"azureml_v1":null,"base":{"context":{"dockerfile":"FROM debian:12-slim\n","dockerfile_path":"Dockerfile","files":[{"digest":"sha256:c4dd1b6dfdf1baf517c3acd5e156f76f61f9c83313171463f4e956e02936403c","mode":"0644","path":"Dockerfile","size_bytes":20,"type":"file"}],"root":"","uri":""}},"conda":null,"environment_variables":{},"files":[],"format":1,"inference":null,"os_type":"linux","pip":null}');
INSERT INTO definitions VALUES(4,'817cc35648a0b4dc90973b57d2e47f52dfd7469632c051753ec6ed5e8044fa60','{"apt":null,"azureml_v1":null,"base":{"image":"debian:12-slim"},"conda":{"channels":[{"text":"conda-forge"}],"dependencies":[{"text":"pip"}],"name":"","nodefaults":false,"platforms":[],"variables":{}},"environment_variables":{},"files":[],"format":1,"inference":null,"os_type":"linux","pip":null}');
CREATE TABLE environments (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  archived INTEGER NOT NULL DEFAULT 0,
  next_number INTEGER NOT NULL DEFAULT 1,
  version_count INTEGER NOT NULL DEFAULT 0,
  newest_id INTEGER,
  latest_id INTEGER
);
INSERT INTO environments VALUES(1,'train',0,3,2,2,2);
INSERT INTO environments VALUES(2,'image',0,2,1,3,NULL);
INSERT INTO environments VALUES(3,'CliV2AnonymousEnvironment',0,1,1,4,4);
CREATE TABLE versions (
  id INTEGER PRIMARY KEY,
  environment_id INTEGER NOT NULL REFERENCES environments (id),
  version TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  kind TEXT NOT NULL,
  archived INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  modified_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  description TEXT NOT NULL,
  tags TEXT NOT NULL,
  properties TEXT NOT NULL,
  definition_id INTEGER NOT NULL REFERENCES definitions (id),
  locations TEXT NOT NULL,
  UNIQUE (environment_id, version)
);
INSERT INTO versions VALUES(1,1,'1','9e9cedfd7556e07b0c10e037719d10f6','system-managed',0,1800000000000,1800000000000,'ada','first','{"team":"vision"}','{}',1,'{"files":["environment.yml"],"at":[null,[0,2,5],[0,4,5],[0,5,5]]}');
INSERT INTO versions VALUES(2,1,'2','9619722cb8382cf95b326d4b17c1768e','system-managed',0,1800000060000,1800000060000,'ada','','{}','{}',2,'{"files":["environment.yml"],"at":[null,[0,2,5],[0,4,5]]}');
INSERT INTO versions VALUES(3,2,'1','ed8d21886f0a0bda8eb4127351a9faee','user-managed',1,1800000060000,1800000060000,'ada','','{}','{}',3,'{"files":[],"at":[null]}');
INSERT INTO versions VALUES(4,3,'817cc35648a0b4dc90973b57d2e47f52','311778718328c88e0084f9778336c6e9','anonymous',0,1800000060000,1800000060000,'ada','','{}','{}',4,'{"files":["environment.yml"],"at":[null,[0,2,5],[0,4,5]]}');
CREATE TABLE labels (
  environment_id INTEGER NOT NULL REFERENCES environments (id),
  label TEXT NOT NULL,
  version_id INTEGER NOT NULL REFERENCES versions (id),
  PRIMARY KEY (environment_id, label)
);
INSERT INTO labels VALUES(1,'stable',1);
CREATE TABLE registries (
  name TEXT PRIMARY KEY,
  location TEXT NOT NULL
);
CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  user_name TEXT NOT NULL,
  action TEXT NOT NULL,
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  detail TEXT NOT NULL
);
INSERT INTO events VALUES(1,1800000000000,'ada','created','train','1','');
INSERT INTO events VALUES(2,1800000060000,'ada','created','train','2','');
INSERT INTO events VALUES(3,1800000060000,'ada','labelled','train','1','stable');
INSERT INTO events VALUES(4,1800000060000,'ada','created','image','1','');
INSERT INTO events VALUES(5,1800000060000,'ada','archived','image','1','');
INSERT INTO events VALUES(6,1800000060000,'ada','created','CliV2AnonymousEnvironment','817cc35648a0b4dc90973b57d2e47f52','');
CREATE INDEX versions_by_environment ON versions (environment_id, id);
CREATE INDEX versions_by_fingerprint ON versions (fingerprint, archived, id DESC);
CREATE INDEX labels_by_version ON labels (version_id);
CREATE INDEX events_by_name ON events (name, id);
