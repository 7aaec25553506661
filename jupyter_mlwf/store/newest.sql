CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

INSERT INTO "alembic_version" VALUES('0003');

CREATE TABLE blobs (
	sha256 TEXT NOT NULL, 
	content BLOB NOT NULL, 
	PRIMARY KEY (sha256)
);

CREATE TABLE counters (
	id INTEGER NOT NULL CHECK (id = 1), 
	events INTEGER NOT NULL, 
	runs INTEGER NOT NULL, 
	PRIMARY KEY (id)
);

INSERT INTO "counters" VALUES(1,0,0);

CREATE TABLE events (
	seq INTEGER NOT NULL, 
	run TEXT NOT NULL, 
	time DATETIME NOT NULL, 
	type TEXT NOT NULL, 
	step TEXT, 
	data TEXT NOT NULL, 
	PRIMARY KEY (seq), 
	FOREIGN KEY(run, step) REFERENCES step_runs (run, step), 
	FOREIGN KEY(run) REFERENCES runs (id)
);

CREATE TABLE releases (
	name TEXT NOT NULL, 
	version TEXT NOT NULL, 
	title TEXT, 
	notes TEXT NOT NULL, 
	created DATETIME NOT NULL, 
	author TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	path TEXT NOT NULL, 
	workflow TEXT NOT NULL, 
	files TEXT NOT NULL, 
	PRIMARY KEY (name, version)
);

CREATE TABLE requests (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	run TEXT NOT NULL, 
	data TEXT NOT NULL, 
	FOREIGN KEY(run) REFERENCES runs (id)
);

CREATE TABLE runs (
	id TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	workflow TEXT NOT NULL, 
	title TEXT, 
	path TEXT NOT NULL, 
	release TEXT, 
	state TEXT NOT NULL, 
	created DATETIME NOT NULL, 
	started DATETIME, 
	finished DATETIME, 
	seq INTEGER NOT NULL, 
	lease_owner TEXT, 
	lease_token INTEGER DEFAULT 0 NOT NULL, 
	lease_until DATETIME, parameters TEXT DEFAULT '{}' NOT NULL, parent_run TEXT, parent_step TEXT, parent_attempt INTEGER, paused BOOLEAN DEFAULT 0 NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT runs_ended CHECK ((finished IS NOT NULL) = (state IN ('succeeded', 'failed', 'stopped'))), 
	CONSTRAINT runs_lease CHECK ((lease_owner IS NULL) = (lease_until IS NULL)), 
	UNIQUE (number)
);

CREATE TABLE step_runs (
	run TEXT NOT NULL, 
	step TEXT NOT NULL, 
	state TEXT NOT NULL, 
	reason TEXT, 
	started DATETIME, 
	finished DATETIME, 
	data TEXT NOT NULL, cache_key TEXT, 
	PRIMARY KEY (run, step), 
	FOREIGN KEY(run) REFERENCES runs (id)
);

CREATE INDEX runs_by_workflow ON runs (workflow, number);

CREATE INDEX runs_by_path ON runs (path, number);

CREATE INDEX runs_open ON runs (number) WHERE finished IS NULL;

CREATE INDEX events_by_run ON events (run, seq);

CREATE TRIGGER events_no_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'rows of events never change'); END;

CREATE TRIGGER events_no_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'rows of events never change'); END;

CREATE TRIGGER releases_no_update BEFORE UPDATE ON releases BEGIN SELECT RAISE(ABORT, 'rows of releases never change'); END;

CREATE TRIGGER releases_no_delete BEFORE DELETE ON releases BEGIN SELECT RAISE(ABORT, 'rows of releases never change'); END;

CREATE TRIGGER blobs_no_update BEFORE UPDATE ON blobs BEGIN SELECT RAISE(ABORT, 'rows of blobs never change'); END;

CREATE TRIGGER blobs_no_delete BEFORE DELETE ON blobs BEGIN SELECT RAISE(ABORT, 'rows of blobs never change'); END;

CREATE INDEX ix_requests_run ON requests (run);

CREATE INDEX step_runs_by_cache_key ON step_runs (cache_key) WHERE cache_key IS NOT NULL;

CREATE UNIQUE INDEX runs_by_parent ON runs (parent_run, parent_step, parent_attempt);

CREATE INDEX step_runs_waiting ON step_runs (run) WHERE state = 'waiting';

DELETE FROM "sqlite_sequence";
