// Manual: "explain", "Explain Results".
import { assert, fails, test } from './harness.mjs';

for (const [name, command] of Object.entries({
  find: { filter: { a: 1 } }, count: { query: { a: 1 } }, distinct: { key: 'a' }, aggregate: { pipeline: [{ $match: { a: 1 } }], cursor: {} },
  update: { updates: [{ q: { a: 1 }, u: { $set: { a: 2 } } }] }, delete: { deletes: [{ q: { a: 1 }, limit: 1 }] }, findAndModify: { query: { a: 1 }, update: { $set: { a: 2 } } },
})) {
  test('command explain', `tells the plan of ${name} and does not run it`, async ({ db, coll, seed }) => {
    await seed({ _id: 1, a: 1 });
    const reply = await db.command({ explain: { [name]: coll.collectionName, ...command }, verbosity: 'queryPlanner' });
    assert.equal(reply.ok, 1);
    const planner = reply.queryPlanner ?? reply.stages?.[0].$cursor?.queryPlanner;
    assert.equal(planner.namespace, `${db.databaseName}.${coll.collectionName}`);
    assert.ok(planner.winningPlan);
    assert.deepEqual(await coll.find({}).toArray(), [{ _id: 1, a: 1 }]);
  });
}
test('command explain', 'the verbosity executionStats tells what was found', async ({ db, coll, seed }) => {
  await seed({ _id: 1, a: 1 }, { _id: 2, a: 2 }, { _id: 3, a: 1 });
  const reply = await db.command({ explain: { find: coll.collectionName, filter: { a: 1 } }, verbosity: 'executionStats' });
  assert.equal(reply.executionStats.executionSuccess, true);
  assert.equal(reply.executionStats.nReturned, 2);
  assert.equal(reply.executionStats.totalDocsExamined, 3);
});
test('command explain', 'an unknown command is an error', async ({ db }) => {
  await fails(59, () => db.command({ explain: { nonsense: 'x' } }));
});
test('command explain', 'an unknown verbosity is an error', async ({ db, coll }) => {
  await fails([2, 9], () => db.command({ explain: { find: coll.collectionName }, verbosity: 'nonsense' }));
});
test('command explain', 'a filter that is none is an error', async ({ db, coll }) => {
  await fails(2, () => db.command({ explain: { find: coll.collectionName, filter: { a: { $nonsense: 1 } } } }));
});
test('command explain', 'needs a command', async ({ db }) => {
  await fails(14, () => db.command({ explain: 5 }));
});
