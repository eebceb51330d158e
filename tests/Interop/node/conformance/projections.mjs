// Manual: "Project Fields to Return from Query", "db.collection.find(): projection", "Path Collision".
import { assert, fails, test } from './harness.mjs';

const order = { _id: 1, item: 'journal', status: 'A', size: { h: 14, w: 21, uom: 'cm' }, stock: [{ at: 'A', qty: 5 }, { at: 'B', qty: 15 }] };

function projects(promise, projection, expected) {
  test('projection', promise, async ({ coll, seed }) => {
    await seed(order);
    assert.deepEqual(await coll.find({}, { projection }).toArray(), [expected]);
  });
}

function refuses(promise, code, projection) {
  test('projection', promise, async ({ coll, seed }) => {
    await seed(order);
    await fails(code, () => coll.find({}, { projection }).toArray());
  });
}

projects('none returns everything', {}, order);
projects('an inclusion returns the fields and _id', { item: 1, status: 1 }, { _id: 1, item: 'journal', status: 'A' });
projects('_id can be left out', { item: 1, _id: 0 }, { item: 'journal' });
projects('an exclusion returns the rest', { status: 0, stock: 0 }, { _id: 1, item: 'journal', size: { h: 14, w: 21, uom: 'cm' } });
projects('_id alone can be left out', { _id: 0 }, { item: 'journal', status: 'A', size: order.size, stock: order.stock });
projects('_id alone can be returned', { _id: 1 }, { _id: 1 });
projects('true includes', { item: true }, { _id: 1, item: 'journal' });
projects('false excludes', { item: false, size: false, stock: false }, { _id: 1, status: 'A' });
projects('a field of an embedded document is included by its path', { 'size.uom': 1 }, { _id: 1, size: { uom: 'cm' } });
projects('a field of an embedded document is included by nesting', { size: { uom: 1, h: 1 } }, { _id: 1, size: { h: 14, uom: 'cm' } });
projects('a field of an embedded document is excluded', { 'size.uom': 0, stock: 0 }, { _id: 1, item: 'journal', status: 'A', size: { h: 14, w: 21 } });
projects('a field of documents in an array is included', { 'stock.qty': 1 }, { _id: 1, stock: [{ qty: 5 }, { qty: 15 }] });
projects('a field of documents in an array is excluded', { 'stock.qty': 0, item: 0, size: 0 }, { _id: 1, status: 'A', stock: [{ at: 'A' }, { at: 'B' }] });
projects('fields come in the order of the document', { status: 1, item: 1 }, { _id: 1, item: 'journal', status: 'A' });
projects('a field that is not there stays away', { nothing: 1 }, { _id: 1 });
projects('an expression computes a field', { item: 1, area: { $multiply: ['$size.h', '$size.w'] } }, { _id: 1, item: 'journal', area: 294 });
projects('a text computes itself, a path what it leads to', { _id: 0, a: '$item', b: { $literal: 1 }, c: 'plain' }, { a: 'journal', b: 1, c: 'plain' });
projects('$$REMOVE leaves a field out', { _id: 0, item: { $cond: [{ $eq: ['$status', 'A'] }, '$$REMOVE', '$item'] }, status: 1 }, { status: 'A' });
refuses('inclusion and exclusion do not mix', 31254, { item: 1, status: 0 });
refuses('exclusion and inclusion do not mix', 31253, { item: 0, status: 1 });
refuses('a document and a field of it collide', [31249, 31250], { size: 1, 'size.uom': 1 });
refuses('a field of a document and the document collide', 31250, { 'size.uom': 1, size: 1 });
refuses('an expression in an exclusion is an error', [31252, 31310], { item: 0, b: { $add: [1, 2] } });
refuses('an unknown operator is an error', [31325, 168], { b: { $nonsense: 1 } });

test('projection', 'findAndModify projects what it returns', async ({ coll, seed }) => {
  await seed({ _id: 1, a: 1, b: 2 });
  assert.deepEqual(await coll.findOneAndUpdate({ _id: 1 }, { $set: { a: 5 } }, { projection: { a: 1, _id: 0 }, returnDocument: 'after' }), { a: 5 });
});

test('projection', 'inclusion below a value that is no document leaves it out', async ({ coll, seed }) => {
  await seed({ _id: 1, a: 5 }, { _id: 2, a: [1, { b: 2 }] }, { _id: 3, a: {} });
  assert.deepEqual(await coll.find({}, { projection: { 'a.b': 1 }, sort: { _id: 1 } }).toArray(), [{ _id: 1 }, { _id: 2, a: [{ b: 2 }] }, { _id: 3, a: {} }]);
});
