// Manual: "Transactions", "Retryable Writes", "Change Streams", "Change Events", "Client Sessions and Causal Consistency".
import { Long, MongoClient } from 'mongodb';
import { assert, fails, idsOf, test, testOnReplicaSet } from './harness.mjs';

test('sessions', 'commands run in a session', async ({ client, coll }) => {
  const session = client.startSession();
  try {
    await coll.insertOne({ _id: 1 }, { session });
    assert.deepEqual(await coll.find({}, { session }).toArray(), [{ _id: 1 }]);
  } finally {
    await session.endSession();
  }
});

async function inTransaction(client, coll, run) {
  const session = client.startSession();
  try {
    session.startTransaction();
    await run(session);
    if (session.inTransaction()) await session.abortTransaction();
  } finally {
    await session.endSession();
  }
}

testOnReplicaSet('command commitTransaction', 'makes all changes at once', async ({ client, coll, seed }) => {
  await seed({ _id: 1, a: 1 });
  await inTransaction(client, coll, async session => {
    await coll.insertOne({ _id: 2 }, { session });
    await coll.updateOne({ _id: 1 }, { $set: { a: 2 } }, { session });
    assert.deepEqual(await coll.find({}, { session }).sort({ _id: 1 }).toArray(), [{ _id: 1, a: 2 }, { _id: 2 }]);
    assert.deepEqual(await coll.find({}).toArray(), [{ _id: 1, a: 1 }]);
    await session.commitTransaction();
    assert.deepEqual(await coll.find({}).sort({ _id: 1 }).toArray(), [{ _id: 1, a: 2 }, { _id: 2 }]);
    // Committing again is what a driver does that has not heard.
    await session.commitTransaction();
  });
});
testOnReplicaSet('command abortTransaction', 'leaves nothing', async ({ client, coll, seed }) => {
  await seed({ _id: 1 });
  await inTransaction(client, coll, async session => {
    await coll.insertOne({ _id: 2 }, { session });
    await coll.deleteOne({ _id: 1 }, { session });
    await session.abortTransaction();
  });
  assert.deepEqual(await idsOf(coll, {}), [1]);
});
testOnReplicaSet(['command commitTransaction', 'command create'], 'creates a collection', async ({ client, db, coll }) => {
  await inTransaction(client, coll, async session => {
    await db.createCollection(coll.collectionName, { session });
    await coll.insertOne({ _id: 1 }, { session });
    await session.commitTransaction();
  });
  assert.deepEqual(await idsOf(coll, {}), [1]);
});
testOnReplicaSet(['command findAndModify', 'command aggregate', 'command distinct', 'command delete'], 'run in a transaction', async ({ client, coll, seed }) => {
  await seed({ _id: 1, a: 1 }, { _id: 2, a: 2 });
  await inTransaction(client, coll, async session => {
    assert.deepEqual(await coll.findOneAndUpdate({ _id: 1 }, { $inc: { a: 5 } }, { session, returnDocument: 'after' }), { _id: 1, a: 6 });
    assert.equal(await coll.countDocuments({ a: { $gt: 1 } }, { session }), 2);
    assert.deepEqual((await coll.distinct('a', {}, { session })).sort(), [2, 6]);
    assert.equal((await coll.deleteMany({}, { session })).deletedCount, 2);
    await session.commitTransaction();
  });
  assert.equal(await coll.countDocuments({}), 0);
});
testOnReplicaSet('transactions', 'two that write the same document conflict', async ({ client, coll, seed }) => {
  await seed({ _id: 1, a: 1 });
  await inTransaction(client, coll, async first => {
    await coll.updateOne({ _id: 1 }, { $set: { a: 2 } }, { session: first });
    await inTransaction(client, coll, async second => {
      const error = await fails(112, () => coll.updateOne({ _id: 1 }, { $set: { a: 3 } }, { session: second }));
      assert.ok(error.hasErrorLabel('TransientTransactionError'));
    });
    await first.commitTransaction();
  });
  assert.deepEqual(await coll.findOne({}), { _id: 1, a: 2 });
});
testOnReplicaSet('transactions', 'read what was there when they began', async ({ client, coll, seed }) => {
  await seed({ _id: 1, a: 1 });
  await inTransaction(client, coll, async session => {
    assert.deepEqual(await coll.findOne({ _id: 1 }, { session }), { _id: 1, a: 1 });
    await coll.updateOne({ _id: 1 }, { $set: { a: 2 } });
    assert.deepEqual(await coll.findOne({ _id: 1 }, { session }), { _id: 1, a: 1 });
  });
});
testOnReplicaSet('transactions', 'an error aborts', async ({ client, coll, seed }) => {
  await seed({ _id: 1 });
  await inTransaction(client, coll, async session => {
    await coll.insertOne({ _id: 2 }, { session });
    await fails(11000, () => coll.insertOne({ _id: 1 }, { session }));
    const error = await fails(251, () => coll.insertOne({ _id: 3 }, { session }));
    assert.ok(error.hasErrorLabel('TransientTransactionError'));
  });
  assert.deepEqual(await idsOf(coll, {}), [1]);
});
testOnReplicaSet('transactions', 'withTransaction commits', async ({ client, coll, seed }) => {
  await seed({ _id: 1, a: 1 });
  await client.withSession(session => session.withTransaction(() => coll.updateOne({ _id: 1 }, { $inc: { a: 1 } }, { session })));
  assert.deepEqual(await coll.findOne({}), { _id: 1, a: 2 });
});
testOnReplicaSet('transactions', 'not every command can be part of one', async ({ client, db, coll, seed }) => {
  await seed({ _id: 1 });
  await inTransaction(client, coll, async session => {
    await fails(263, () => db.command({ count: coll.collectionName }, { session }));
  });
});
// A client of its own, with a session whose transactions the case numbers itself.
async function inNewSession(uri, run) {
  const client = new MongoClient(uri);
  try {
    await client.withSession(session => run(client, session));
  } finally {
    await client.close();
  }
}

testOnReplicaSet('transactions', 'to abort one that was not started is an error', ({ uri }) => inNewSession(uri, async (client, session) => {
  await fails(251, () => client.db('admin').command({ abortTransaction: 1, txnNumber: Long.fromNumber(1), autocommit: false }, { session }));
}));
testOnReplicaSet('retryable writes', 'a write that is sent again is not done again', ({ uri, db, coll, seed }) => inNewSession(uri, async (client, session) => {
  await seed({ _id: 1, a: 1 });
  const same = client.db(db.databaseName);
  const update = { update: coll.collectionName, updates: [{ q: { _id: 1 }, u: { $inc: { a: 1 } } }], txnNumber: Long.fromNumber(1) };
  for (let sent = 0; sent < 2; sent++) {
    const reply = await same.command(update, { session });
    assert.deepEqual([reply.n, reply.nModified], [1, 1]);
  }
  await fails(225, () => same.command({ ...update, txnNumber: Long.fromNumber(0) }, { session }));
  assert.deepEqual(await coll.findOne({}), { _id: 1, a: 2 });
}));

// Opens a change stream, makes changes, and asserts what the stream tells of them.
function streams(promise, open, change, check) {
  testOnReplicaSet('stage $changeStream', promise, async context => {
    await context.seed({ _id: 1, a: 1, list: [1, 2, 3] });
    const stream = open(context);
    try {
      await stream.tryNext();
      await change(context);
      await check(stream, context);
    } finally {
      await stream.close();
    }
  });
}
const ofCollection = ({ coll }) => coll.watch([], { maxAwaitTimeMS: 200 });

streams('tells an insert', ofCollection, ({ coll }) => coll.insertOne({ _id: 2, b: 1 }), async (stream, { db, coll }) => {
  const event = await stream.next();
  assert.deepEqual([event.operationType, event.fullDocument, event.documentKey], ['insert', { _id: 2, b: 1 }, { _id: 2 }]);
  assert.deepEqual(event.ns, { db: db.databaseName, coll: coll.collectionName });
  assert.ok(event._id && event.clusterTime && event.wallTime instanceof Date);
});
streams('tells what an update changed', ofCollection, ({ coll }) => coll.updateOne({ _id: 1 }, { $set: { 'x.y': 5 }, $unset: { a: 1 } }), async stream => {
  const event = await stream.next();
  assert.equal(event.operationType, 'update');
  assert.equal(event.fullDocument, undefined);
  assert.deepEqual(event.updateDescription, { updatedFields: { x: { y: 5 } }, removedFields: ['a'], truncatedArrays: [] });
});
streams('looks up the document of an update', ({ coll }) => coll.watch([], { fullDocument: 'updateLookup', maxAwaitTimeMS: 200 }), ({ coll }) => coll.updateOne({ _id: 1 }, { $set: { a: 5 } }), async stream => {
  const event = await stream.next();
  assert.deepEqual([event.updateDescription.updatedFields, event.fullDocument], [{ a: 5 }, { _id: 1, a: 5, list: [1, 2, 3] }]);
});
streams('tells a replacement', ofCollection, ({ coll }) => coll.replaceOne({ _id: 1 }, { z: 1 }), async stream => {
  const event = await stream.next();
  assert.deepEqual([event.operationType, event.fullDocument], ['replace', { _id: 1, z: 1 }]);
});
streams('tells a deletion', ofCollection, ({ coll }) => coll.deleteOne({ _id: 1 }), async stream => {
  const event = await stream.next();
  assert.deepEqual([event.operationType, event.documentKey, event.fullDocument], ['delete', { _id: 1 }, undefined]);
});
streams('ends when the collection is dropped', ofCollection, ({ coll }) => coll.drop(), async stream => {
  assert.equal((await stream.next()).operationType, 'drop');
  assert.equal((await stream.next()).operationType, 'invalidate');
});
streams('tells a new name', ofCollection, ({ db, coll }) => db.renameCollection(coll.collectionName, `${coll.collectionName}_new`), async (stream, { db, coll }) => {
  const event = await stream.next();
  assert.deepEqual([event.operationType, event.to], ['rename', { db: db.databaseName, coll: `${coll.collectionName}_new` }]);
});
streams('filters and computes', ({ coll }) => coll.watch([{ $match: { operationType: 'delete' } }, { $addFields: { mine: 1 } }], { maxAwaitTimeMS: 200 }), async ({ coll }) => {
  await coll.insertOne({ _id: 2 });
  await coll.deleteOne({ _id: 2 });
}, async stream => {
  const event = await stream.next();
  assert.deepEqual([event.operationType, event.mine], ['delete', 1]);
});
streams('goes on after a token', ofCollection, async ({ coll }) => {
  await coll.insertOne({ _id: 2 });
  await coll.insertOne({ _id: 3 });
}, async (stream, { coll }) => {
  const first = await stream.next();
  const resumed = coll.watch([], { resumeAfter: first._id, maxAwaitTimeMS: 200 });
  try {
    assert.deepEqual((await resumed.next()).documentKey, { _id: 3 });
  } finally {
    await resumed.close();
  }
});
streams('of a database tells of every collection', ({ db }) => db.watch([], { maxAwaitTimeMS: 200 }), ({ db, coll }) => db.collection(`${coll.collectionName}_other`).insertOne({ _id: 9 }), async stream => {
  assert.deepEqual((await stream.next()).documentKey, { _id: 9 });
});
streams('tells a transaction once it is committed', ofCollection, ({ client, coll }) => inTransaction(client, coll, async session => {
  await coll.insertOne({ _id: 2 }, { session });
  await coll.insertOne({ _id: 3 }, { session });
  await session.commitTransaction();
}), async stream => {
  const [first, second] = [await stream.next(), await stream.next()];
  assert.deepEqual([first.documentKey, second.documentKey], [{ _id: 2 }, { _id: 3 }]);
  assert.deepEqual(first.clusterTime, second.clusterTime);
  assert.ok(first.lsid && first.txnNumber !== undefined);
});
testOnReplicaSet('stage $changeStream', 'is the first stage', async ({ coll, seed }) => {
  await seed({ _id: 1 });
  await fails(40602, () => coll.aggregate([{ $match: {} }, { $changeStream: {} }]).toArray());
});
testOnReplicaSet('stage $changeStream', 'not every stage may follow', async ({ coll }) => {
  await fails(20, () => coll.aggregate([{ $changeStream: {} }, { $group: { _id: null } }]).toArray());
});
