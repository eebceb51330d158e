// Manual: "Database Commands" (administration, diagnostics, sessions), "Error Codes".
import { UUID } from 'mongodb';
import { assert, fails, Skipped, test } from './harness.mjs';

const admin = client => client.db('admin');

test('command ping', 'answers', async ({ db }) => {
  assert.equal((await db.command({ ping: 1 })).ok, 1);
});
test('command hello', 'tells what a driver needs', async ({ client }) => {
  const reply = await admin(client).command({ hello: 1 });
  assert.equal(reply.isWritablePrimary, true);
  assert.equal(reply.maxBsonObjectSize, 16777216);
  assert.equal(reply.maxMessageSizeBytes, 48000000);
  assert.equal(reply.maxWriteBatchSize, 100000);
  assert.ok(reply.localTime instanceof Date);
  assert.equal(reply.logicalSessionTimeoutMinutes, 30);
  assert.ok(reply.maxWireVersion >= 21 && reply.minWireVersion <= reply.maxWireVersion);
  assert.equal(reply.readOnly, false);
});
for (const name of ['isMaster', 'ismaster']) {
  test(`command ${name}`, 'is the older hello', async ({ client }) => {
    const reply = await admin(client).command({ [name]: 1 });
    assert.equal(reply.ismaster, true);
    assert.equal(reply.maxBsonObjectSize, 16777216);
  });
}
for (const name of ['buildInfo', 'buildinfo']) {
  test(`command ${name}`, 'tells the version', async ({ client }) => {
    const reply = await admin(client).command({ [name]: 1 });
    assert.match(reply.version, /^\d+\.\d+\.\d+/);
    assert.equal(reply.versionArray.length, 4);
    assert.equal(reply.maxBsonObjectSize, 16777216);
    assert.ok(Array.isArray(reply.modules));
  });
}
test('command endSessions', 'takes ids of sessions, known or not', async ({ client }) => {
  assert.equal((await admin(client).command({ endSessions: [{ id: new UUID() }] })).ok, 1);
});
test('command listDatabases', 'lists databases that have a collection', async ({ client, db, seed }) => {
  await seed({ _id: 1 });
  const reply = await admin(client).command({ listDatabases: 1 });
  const found = reply.databases.find(database => database.name === db.databaseName);
  assert.equal(found.empty, false);
  assert.equal(typeof found.sizeOnDisk, 'number');
  assert.equal(typeof reply.totalSize, 'number');
});
test('command listDatabases', 'filters, and lists names alone', async ({ client, db, seed }) => {
  await seed({ _id: 1 });
  const reply = await admin(client).command({ listDatabases: 1, nameOnly: true, filter: { name: db.databaseName } });
  assert.deepEqual(reply.databases, [{ name: db.databaseName }]);
});
test('command listDatabases', 'is a command of admin', async ({ db }) => {
  await fails(13, () => db.command({ listDatabases: 1 }));
});
test('command dropDatabase', 'drops every collection', async ({ client, db }) => {
  const other = client.db(`${db.databaseName}_dropped`);
  await other.collection('a').insertOne({ _id: 1 });
  await other.collection('b').insertOne({ _id: 1 });
  assert.equal((await other.command({ dropDatabase: 1 })).ok, 1);
  assert.deepEqual(await other.listCollections().toArray(), []);
});
test('command dropDatabase', 'of a database that is not there is no error', async ({ client, db }) => {
  assert.equal((await client.db(`${db.databaseName}_none`).command({ dropDatabase: 1 })).ok, 1);
});
test('command configureFailPoint', 'lets a command fail as often as it says', async ({ client, db }) => {
  try {
    await admin(client).command({ configureFailPoint: 'failCommand', mode: { times: 1 }, data: { failCommands: ['ping'], errorCode: 8000 } });
  } catch (error) {
    // Fail points exist where the server was started with enableTestCommands.
    if (error.code === 59 || error.code === 13) throw new Skipped('the server has no fail points');
    throw error;
  }
  await fails(8000, () => db.command({ ping: 1 }));
  assert.equal((await db.command({ ping: 1 })).ok, 1);
});
test('commands', 'an unknown command is an error', async ({ db }) => {
  const error = await fails(59, () => db.command({ nonsense: 1 }));
  assert.equal(error.codeName, 'CommandNotFound');
});
test('commands', 'an unknown field is an error', async ({ db, coll }) => {
  await fails(40415, () => db.command({ find: coll.collectionName, nonsense: 1 }));
});
test('commands', 'a missing field is an error', async ({ db, coll }) => {
  await fails(40414, () => db.command({ distinct: coll.collectionName }));
});
test('commands', 'a field of the wrong type is an error', async ({ db, coll }) => {
  await fails(14, () => db.command({ find: coll.collectionName, filter: 5 }));
});
test('commands', 'comment changes nothing', async ({ coll, seed }) => {
  await seed({ _id: 1 });
  assert.deepEqual(await coll.find({}).comment('why').toArray(), [{ _id: 1 }]);
});
test('commands', 'maxTimeMS changes nothing where there is time', async ({ coll, seed }) => {
  await seed({ _id: 1 });
  assert.deepEqual(await coll.find({}).maxTimeMS(10000).toArray(), [{ _id: 1 }]);
});
test('commands', 'a name of a collection is not empty', async ({ db }) => {
  await fails(73, () => db.command({ create: '' }));
});
test('commands', 'a name of a collection has no dollar', async ({ db }) => {
  await fails(73, () => db.command({ create: 'a$b' }));
});
