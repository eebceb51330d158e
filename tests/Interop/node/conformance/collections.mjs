// Manual: "Schema Validation", the commands create, drop, collMod, renameCollection and listCollections, "$jsonSchema".
import { Decimal128 } from 'mongodb';
import { assert, fails, test } from './harness.mjs';

test(['command create', 'command listCollections'], 'creates a collection', async ({ db, coll }) => {
  await db.createCollection(coll.collectionName);
  const [found] = await db.listCollections({ name: coll.collectionName }).toArray();
  assert.deepEqual([found.name, found.type, found.options, found.info.readOnly], [coll.collectionName, 'collection', {}, false]);
  assert.deepEqual(found.idIndex, { v: 2, key: { _id: 1 }, name: '_id_' });
  assert.equal(found.info.uuid.sub_type, 4);
});
test('command create', 'again with the same options is no error', async ({ db, coll }) => {
  await db.command({ create: coll.collectionName });
  assert.equal((await db.command({ create: coll.collectionName })).ok, 1);
});
test('command create', 'again with other options is an error', async ({ db, coll }) => {
  await db.command({ create: coll.collectionName });
  await fails(48, () => db.command({ create: coll.collectionName, validator: { a: 1 } }));
});
test('command create', 'an unknown level or action is an error', async ({ db, coll }) => {
  await fails(2, () => db.command({ create: coll.collectionName, validationLevel: 'nonsense' }));
  await fails(2, () => db.command({ create: coll.collectionName, validationAction: 'nonsense' }));
});
test('command create', 'a validator that is none is an error', async ({ db, coll }) => {
  await fails(2, () => db.command({ create: coll.collectionName, validator: { a: { $nonsense: 1 } } }));
});
test('command listCollections', 'shows the validator', async ({ db, coll }) => {
  await db.createCollection(coll.collectionName, { validator: { a: { $gt: 1 } } });
  const [found] = await db.listCollections({ name: coll.collectionName }).toArray();
  assert.deepEqual(found.options, { validator: { a: { $gt: 1 } }, validationLevel: 'strict', validationAction: 'error' });
});
test('command listCollections', 'lists names alone, in a database that is not there none', async ({ client, db, coll }) => {
  await db.createCollection(coll.collectionName);
  assert.deepEqual(await db.listCollections({ name: coll.collectionName }, { nameOnly: true }).toArray(), [{ name: coll.collectionName, type: 'collection' }]);
  assert.deepEqual(await client.db(`${db.databaseName}_none`).listCollections().toArray(), []);
});
test('command drop', 'drops documents and indexes', async ({ db, coll, seed }) => {
  await seed({ _id: 1 });
  await coll.createIndex({ a: 1 });
  const reply = await db.command({ drop: coll.collectionName });
  assert.deepEqual([reply.nIndexesWas, reply.ns], [2, `${db.databaseName}.${coll.collectionName}`]);
  assert.deepEqual(await coll.find({}).toArray(), []);
});
test('command drop', 'of a collection that is not there is no error', async ({ db, coll }) => {
  assert.equal((await db.command({ drop: coll.collectionName })).ok, 1);
});

function withValidator(subject, promise, options, run) {
  test(subject, promise, async context => {
    await context.db.createCollection(context.coll.collectionName, options);
    await run(context);
  });
}

const positive = { validator: { a: { $gt: 0 } } };
withValidator('validator', 'refuses an insert', positive, async ({ coll }) => {
  await coll.insertOne({ _id: 1, a: 1 });
  const error = await fails(121, () => coll.insertOne({ _id: 2, a: 0 }));
  assert.match(error.message, /Document failed validation/);
  assert.equal(error.errInfo.failingDocumentId, 2);
  assert.ok(error.errInfo.details.operatorName);
});
withValidator('validator', 'refuses an update, a replacement and an upsert', positive, async ({ coll }) => {
  await coll.insertOne({ _id: 1, a: 1 });
  await fails(121, () => coll.updateOne({ _id: 1 }, { $set: { a: 0 } }));
  await fails(121, () => coll.replaceOne({ _id: 1 }, { a: -1 }));
  await fails(121, () => coll.updateOne({ _id: 2 }, { $set: { a: 0 } }, { upsert: true }));
  await fails(121, () => coll.findOneAndUpdate({ _id: 1 }, { $inc: { a: -1 } }));
  assert.deepEqual(await coll.find({}).toArray(), [{ _id: 1, a: 1 }]);
});
withValidator('validator', 'can be bypassed', positive, async ({ coll }) => {
  await coll.insertOne({ _id: 1, a: 0 }, { bypassDocumentValidation: true });
  await coll.updateOne({ _id: 1 }, { $set: { a: -1 } }, { bypassDocumentValidation: true });
});
withValidator('validator', 'that warns refuses nothing', { ...positive, validationAction: 'warn' }, async ({ coll }) => {
  await coll.insertOne({ _id: 1, a: 0 });
});
withValidator('validator', 'that is off refuses nothing', { ...positive, validationLevel: 'off' }, async ({ coll }) => {
  await coll.insertOne({ _id: 1, a: 0 });
});
test(['validator', 'command collMod'], 'at level moderate lets documents stay invalid', async ({ db, coll, seed }) => {
  await seed({ _id: 1, a: 0 }, { _id: 2, a: 1 });
  await db.command({ collMod: coll.collectionName, ...positive, validationLevel: 'moderate' });
  await coll.updateOne({ _id: 1 }, { $set: { b: 1 } });
  await fails(121, () => coll.updateOne({ _id: 2 }, { $set: { a: 0 } }));
  await fails(121, () => coll.insertOne({ _id: 3, a: 0 }));
});
test(['validator', 'command collMod'], 'at level strict every change is checked', async ({ db, coll, seed }) => {
  await seed({ _id: 1, a: 0 });
  await db.command({ collMod: coll.collectionName, ...positive });
  await fails(121, () => coll.updateOne({ _id: 1 }, { $set: { b: 1 } }));
  await coll.updateOne({ _id: 1 }, { $set: { a: 1 } });
});
test('command collMod', 'an empty validator is none', async ({ db, coll }) => {
  await db.createCollection(coll.collectionName, positive);
  await db.command({ collMod: coll.collectionName, validator: {} });
  await coll.insertOne({ _id: 1, a: 0 });
});
test('command collMod', 'of a collection that is not there is an error', async ({ db, coll }) => {
  await fails(26, () => db.command({ collMod: coll.collectionName, validator: {} }));
});

// One keyword, values it accepts and values it refuses.
function schema(keyword, property, accepted, refused) {
  withValidator('$jsonSchema', `${keyword} is kept`, { validator: { $jsonSchema: { properties: { v: property } } } }, async ({ coll }) => {
    for (const v of accepted) await coll.insertOne({ v });
    await coll.insertOne({ other: 1 });
    for (const v of refused) await fails(121, () => coll.insertOne({ v }));
  });
}
schema('bsonType', { bsonType: ['string', 'null'] }, ['x', null], [1, {}]);
schema("bsonType 'number'", { bsonType: 'number' }, [1, 1.5, Decimal128.fromString('1')], ['1']);
schema('type', { type: 'object' }, [{}], [[], 1]);
schema('enum', { enum: ['a', 1, null] }, ['a', 1, null], ['b', 2]);
schema('minimum and maximum', { minimum: 0, maximum: 10 }, [0, 10, 'text'], [-1, 10.5]);
schema('exclusiveMinimum and exclusiveMaximum', { minimum: 0, exclusiveMinimum: true, maximum: 10, exclusiveMaximum: true }, [1, 9.5], [0, 10]);
schema('multipleOf', { multipleOf: 3 }, [0, 9], [1, 9.5]);
schema('minLength and maxLength', { minLength: 2, maxLength: 3 }, ['éa', 'abc', 5], ['a', 'abcd']);
schema('pattern', { pattern: '^\\d+$' }, ['123', 5], ['x1']);
schema('minItems and maxItems', { minItems: 1, maxItems: 2 }, [[1], [1, 2], 'x'], [[], [1, 2, 3]]);
schema('uniqueItems', { uniqueItems: true }, [[1, 2], []], [[1, 1]]);
schema('items', { items: { bsonType: 'int' } }, [[1, 2], []], [[1, 'x']]);
schema('items as an array and additionalItems', { items: [{ bsonType: 'int' }], additionalItems: false }, [[1], []], [['x'], [1, 2]]);
schema('required', { required: ['a'] }, [{ a: null }, 5], [{}]);
schema('properties', { properties: { a: { bsonType: 'int' } } }, [{ a: 1 }, {}], [{ a: 'x' }]);
schema('additionalProperties', { properties: { a: {} }, additionalProperties: false }, [{ a: 1 }], [{ b: 1 }]);
schema('additionalProperties as a schema', { properties: { a: {} }, additionalProperties: { bsonType: 'int' } }, [{ a: 'x', b: 1 }], [{ b: 'x' }]);
schema('patternProperties', { patternProperties: { '^n': { bsonType: 'int' } } }, [{ n1: 1, x: 'y' }], [{ n1: 'x' }]);
schema('minProperties and maxProperties', { minProperties: 1, maxProperties: 2 }, [{ a: 1 }], [{}, { a: 1, b: 1, c: 1 }]);
schema('dependencies', { dependencies: { a: ['b'] } }, [{ b: 1 }, { a: 1, b: 1 }], [{ a: 1 }]);
schema('allOf', { allOf: [{ minimum: 0 }, { maximum: 5 }] }, [3], [-1, 6]);
schema('anyOf', { anyOf: [{ bsonType: 'string' }, { minimum: 5, bsonType: 'number' }] }, ['x', 6], [4]);
schema('oneOf', { oneOf: [{ bsonType: 'number' }, { minimum: 5 }] }, [4, 'x'], [6]);
schema('not', { not: { bsonType: 'string' } }, [1], ['x']);
schema('title and description', { title: 't', description: 'd' }, [1, 'x'], []);
for (const [promise, code, given] of [
  ['an unknown keyword is an error', 9, { nonsense: 1 }],
  ['$ref is not supported', 9, { $ref: 'x' }],
  ['format is not supported', 9, { format: 'x' }],
  ["type 'integer' is not supported", 9, { properties: { a: { type: 'integer' } } }],
  ['required cannot be empty', 9, { required: [] }],
  ['required is an array', 14, { required: 'a' }],
  ['type and bsonType do not mix', 9, { type: 'object', bsonType: 'object' }],
  ['minimum is a number', 14, { properties: { a: { minimum: 'x' } } }],
]) {
  test('$jsonSchema', promise, async ({ db, coll }) => {
    await fails(code, () => db.command({ create: coll.collectionName, validator: { $jsonSchema: given } }));
  });
}

test('command renameCollection', 'renames with documents and indexes', async ({ db, coll, seed }) => {
  await seed({ _id: 1 });
  await coll.createIndex({ a: 1 });
  const renamed = await db.renameCollection(coll.collectionName, `${coll.collectionName}_new`);
  assert.deepEqual(await renamed.find({}).toArray(), [{ _id: 1 }]);
  assert.equal((await renamed.indexes()).length, 2);
  assert.deepEqual(await coll.find({}).toArray(), []);
});
test('command renameCollection', 'does not replace a collection unless it is told to', async ({ db, coll, seed }) => {
  const target = db.collection(`${coll.collectionName}_target`);
  await seed({ _id: 1 });
  await target.insertOne({ _id: 2 });
  await fails(48, () => db.renameCollection(coll.collectionName, target.collectionName));
  await db.renameCollection(coll.collectionName, target.collectionName, { dropTarget: true });
  assert.deepEqual(await target.find({}).toArray(), [{ _id: 1 }]);
});
test('command renameCollection', 'of a collection that is not there is an error', async ({ db, coll }) => {
  await fails(26, () => db.renameCollection(coll.collectionName, 'other'));
});
test('command renameCollection', 'to itself is an error', async ({ client, db, coll, seed }) => {
  await seed({ _id: 1 });
  const name = `${db.databaseName}.${coll.collectionName}`;
  await fails(20, () => client.db('admin').command({ renameCollection: name, to: name }));
});
test('command renameCollection', 'is a command of admin', async ({ db, coll }) => {
  await fails(13, () => db.command({ renameCollection: `${db.databaseName}.${coll.collectionName}`, to: `${db.databaseName}.other` }));
});
