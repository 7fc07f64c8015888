-- The tables that the peer's store of conversations asks for, in SQLite's types.
PRAGMA journal_mode = WAL;
CREATE TABLE users (id TEXT PRIMARY KEY, identifier TEXT NOT NULL UNIQUE, metadata TEXT NOT NULL, "createdAt" TEXT);
CREATE TABLE threads (
  id TEXT PRIMARY KEY, "createdAt" TEXT, name TEXT, "userId" TEXT REFERENCES users (id), "userIdentifier" TEXT,
  tags TEXT, metadata TEXT
);
CREATE TABLE steps (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL, "threadId" TEXT NOT NULL REFERENCES threads (id),
  "parentId" TEXT, streaming BOOLEAN NOT NULL, "waitForAnswer" BOOLEAN, "isError" BOOLEAN, metadata TEXT, tags TEXT,
  input TEXT, output TEXT, "createdAt" TEXT, command TEXT, modes TEXT, start TEXT, "end" TEXT, generation TEXT,
  "showInput" TEXT, language TEXT, indent INTEGER, "defaultOpen" BOOLEAN, "autoCollapse" BOOLEAN, icon TEXT
);
CREATE TABLE elements (
  id TEXT PRIMARY KEY, "threadId" TEXT, type TEXT, url TEXT, "chainlitKey" TEXT, name TEXT NOT NULL, display TEXT,
  "objectKey" TEXT, size TEXT, page INTEGER, language TEXT, "forId" TEXT, mime TEXT, props TEXT
);
CREATE TABLE feedbacks (id TEXT PRIMARY KEY, "forId" TEXT NOT NULL, "threadId" TEXT, value INTEGER NOT NULL, comment TEXT);
