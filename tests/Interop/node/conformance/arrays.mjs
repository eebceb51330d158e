// Manual: "Array Update Operators" with their modifiers, "$ (update)", "$[]", "$[<identifier>]".
import { assert, byText, fails, test } from './harness.mjs';

function updates(subject, promise, document, update, expected, options = {}, filter = { _id: 1 }) {
  test(subject, promise, async ({ coll, seed }) => {
    await seed({ _id: 1, ...document });
    await coll.updateOne(filter, update, options);
    assert.deepEqual(await coll.findOne({}), { _id: 1, ...expected });
  });
}

function refuses(subject, promise, code, document, update, options = {}, filter = { _id: 1 }) {
  test(subject, promise, async ({ coll, seed }) => {
    await seed({ _id: 1, ...document });
    await fails(code, () => coll.updateOne(filter, update, options));
    assert.deepEqual(await coll.findOne({}), { _id: 1, ...document });
  });
}

updates('update $push', 'appends a value', { a: [1] }, { $push: { a: 2 } }, { a: [1, 2] });
updates('update $push', 'makes the array', {}, { $push: { a: 2 } }, { a: [2] });
updates('update $push', 'appends an array as one value', { a: [1] }, { $push: { a: [2, 3] } }, { a: [1, [2, 3]] });
updates(['update $push', 'update $each'], 'appends each of the values', { a: [1] }, { $push: { a: { $each: [2, 3] } } }, { a: [1, 2, 3] });
updates(['update $push', 'update $position'], 'inserts at a position', { a: [100] }, { $push: { a: { $each: [50, 60, 70], $position: 0 } } }, { a: [50, 60, 70, 100] });
updates(['update $push', 'update $position'], 'counts a negative position from the end', { a: [50, 60, 70, 100] }, { $push: { a: { $each: [90, 80], $position: -2 } } }, { a: [50, 60, 90, 80, 70, 100] });
updates(['update $push', 'update $slice'], 'keeps the last elements', { a: [40, 50, 60] }, { $push: { a: { $each: [80, 78, 86], $slice: -5 } } }, { a: [50, 60, 80, 78, 86] });
updates(['update $push', 'update $slice'], 'keeps the first elements', { a: [89, 90] }, { $push: { a: { $each: [100, 20], $slice: 3 } } }, { a: [89, 90, 100] });
updates(['update $push', 'update $slice'], 'keeps nothing', { a: [89, 90] }, { $push: { a: { $each: [1], $slice: 0 } } }, { a: [] });
updates(['update $push', 'update $sort'], 'sorts values', { a: [89, 70, 50] }, { $push: { a: { $each: [40, 60], $sort: 1 } } }, { a: [40, 50, 60, 70, 89] });
updates(['update $push', 'update $sort'], 'sorts downwards', { a: [89, 70, 100, 20] }, { $push: { a: { $each: [], $sort: -1 } } }, { a: [100, 89, 70, 20] });
updates(['update $push', 'update $sort', 'update $slice'], 'sorts documents and then slices, however it is written', { q: [{ w: 1, s: 10 }, { w: 2, s: 8 }] }, { $push: { q: { $slice: 2, $sort: { s: -1 }, $each: [{ w: 5, s: 9 }] } } }, { q: [{ w: 1, s: 10 }, { w: 5, s: 9 }] });
refuses('update $push', 'to what is no array is an error', 2, { a: 1 }, { $push: { a: 2 } });
refuses('update $push', '$each needs an array', 2, { a: [1] }, { $push: { a: { $each: 5 } } });
refuses('update $push', 'an unknown modifier is an error', 2, { a: [1] }, { $push: { a: { $each: [5], $nonsense: 1 } } });
refuses('update $push', '$sort needs 1 or -1', 2, { a: [1] }, { $push: { a: { $each: [5], $sort: 5 } } });

updates('update $addToSet', 'adds a value that is not there', { a: ['x'] }, { $addToSet: { a: 'y' } }, { a: ['x', 'y'] });
updates('update $addToSet', 'does not add a value that is there', { a: ['x'] }, { $addToSet: { a: 'x' } }, { a: ['x'] });
updates('update $addToSet', 'makes the array', {}, { $addToSet: { a: 'x' } }, { a: ['x'] });
updates('update $addToSet', 'adds an array as one value', { a: ['x'] }, { $addToSet: { a: ['y', 'z'] } }, { a: ['x', ['y', 'z']] });
updates(['update $addToSet', 'update $each'], 'adds each that is not there', { a: ['x'] }, { $addToSet: { a: { $each: ['y', 'x', 'y'] } } }, { a: ['x', 'y'] });
updates('update $addToSet', 'documents are the same in the same order of fields only', { a: [{ x: 1, y: 2 }] }, { $addToSet: { a: { y: 2, x: 1 } } }, { a: [{ x: 1, y: 2 }, { y: 2, x: 1 }] });
refuses('update $addToSet', 'to what is no array is an error', 2, { a: 'x' }, { $addToSet: { a: 'y' } });
updates('update $pull', 'removes equal values', { a: [1, 2, 1, 3] }, { $pull: { a: 1 } }, { a: [2, 3] });
updates('update $pull', 'removes what passes operators', { a: [1, 6, 3, 8] }, { $pull: { a: { $gte: 6 } } }, { a: [1, 3] });
updates(['update $pull', 'query $in'], 'removes any of several', { a: ['x', 'y', 'z'] }, { $pull: { a: { $in: ['x', 'z'] } } }, { a: ['y'] });
updates('update $pull', 'removes documents that match, fields beyond the condition or not', { r: [{ i: 'A', s: 5 }, { i: 'B', s: 8, c: 'x' }] }, { $pull: { r: { s: 8, i: 'B' } } }, { r: [{ i: 'A', s: 5 }] });
updates(['update $pull', 'query $elemMatch'], 'removes documents by an array in them', { r: [{ i: 'A', q: [{ n: 1, v: 4 }] }, { i: 'B', q: [{ n: 2, v: 9 }] }] }, { $pull: { r: { q: { $elemMatch: { n: 2, v: { $gte: 8 } } } } } }, { r: [{ i: 'A', q: [{ n: 1, v: 4 }] }] });
updates('update $pull', 'of a missing field does nothing', { b: 1 }, { $pull: { a: 1 } }, { b: 1 });
refuses('update $pull', 'from what is no array is an error', 2, { a: 1 }, { $pull: { a: 1 } });
updates('update $pullAll', 'removes all of the values', { a: [0, 2, 5, 5, 1, 0] }, { $pullAll: { a: [0, 5] } }, { a: [2, 1] });
refuses('update $pullAll', 'needs an array', 2, { a: [1] }, { $pullAll: { a: 1 } });
updates('update $pop', '1 removes the last element', { a: [1, 2, 3] }, { $pop: { a: 1 } }, { a: [1, 2] });
updates('update $pop', '-1 removes the first element', { a: [1, 2, 3] }, { $pop: { a: -1 } }, { a: [2, 3] });
updates('update $pop', 'of an empty array does nothing', { a: [] }, { $pop: { a: 1 } }, { a: [] });
refuses('update $pop', 'of what is no array is an error', 14, { a: 1 }, { $pop: { a: 1 } });
refuses('update $pop', 'needs 1 or -1', 9, { a: [1] }, { $pop: { a: 2 } });

updates('positional $', 'changes the element that was found', { g: [85, 80, 80] }, { $set: { 'g.$': 82 } }, { g: [85, 82, 80] }, {}, { _id: 1, g: 80 });
updates('positional $', 'changes a field of the document that was found', { g: [{ n: 80, s: 8 }, { n: 85, s: 5 }] }, { $set: { 'g.$.s': 6 } }, { g: [{ n: 80, s: 8 }, { n: 85, s: 6 }] }, {}, { 'g.n': 85 });
updates('positional $', 'works with $elemMatch', { g: [{ n: 80, m: 75 }, { n: 85, m: 90 }] }, { $inc: { 'g.$.m': 1 } }, { g: [{ n: 80, m: 75 }, { n: 85, m: 91 }] }, {}, { g: { $elemMatch: { n: { $lte: 90 }, m: { $gt: 80 } } } });
refuses('positional $', 'needs the array in the filter', 2, { g: [1] }, { $set: { 'g.$': 5 } });
updates('positional $[]', 'changes every element', { g: [85, 82] }, { $inc: { 'g.$[]': 10 } }, { g: [95, 92] });
updates('positional $[]', 'changes a field of every document', { g: [{ s: 1 }, { s: 2 }] }, { $inc: { 'g.$[].s': -2 } }, { g: [{ s: -1 }, { s: 0 }] });
updates('positional $[]', 'goes through nested arrays', { g: [{ q: [1, 2] }, { q: [3] }] }, { $inc: { 'g.$[].q.$[]': 1 } }, { g: [{ q: [2, 3] }, { q: [4] }] });
refuses('positional $[]', 'needs the array', 2, { b: 1 }, { $set: { 'g.$[]': 5 } });
refuses('positional $[]', 'needs an array', 2, { g: 1 }, { $set: { 'g.$[]': 5 } });
updates('positional $[identifier]', 'changes the elements that pass their filter', { g: [95, 102, 90, 150] }, { $set: { 'g.$[e]': 100 } }, { g: [95, 100, 90, 100] }, { arrayFilters: [{ e: { $gte: 100 } }] });
updates('positional $[identifier]', 'filters documents by their fields', { g: [{ n: 80, m: 75 }, { n: 85, m: 90 }] }, { $set: { 'g.$[e].m': 100 } }, { g: [{ n: 80, m: 75 }, { n: 85, m: 100 }] }, { arrayFilters: [{ 'e.n': { $gte: 85 } }] });
updates('positional $[identifier]', 'takes several identifiers', { g: [{ t: 'q', v: [1, 9] }, { t: 'x', v: [9] }] }, { $set: { 'g.$[t].v.$[s]': 0 } }, { g: [{ t: 'q', v: [1, 0] }, { t: 'x', v: [9] }] }, { arrayFilters: [{ 't.t': 'q' }, { s: { $gt: 5 } }] });
refuses('positional $[identifier]', 'needs a filter', 2, { g: [1] }, { $set: { 'g.$[e]': 100 } });
refuses('positional $[identifier]', 'needs a use for every filter', 9, { g: [1] }, { $set: { b: 1 } }, { arrayFilters: [{ e: 1 }] });
refuses('positional $[identifier]', 'one filter for each identifier', 9, { g: [1] }, { $set: { 'g.$[e]': 1 } }, { arrayFilters: [{ e: 1 }, { e: 2 }] });
refuses('positional $[identifier]', 'begins with a lowercase letter', 2, { g: [1] }, { $set: { 'g.$[E]': 1 } }, { arrayFilters: [{ E: 1 }] });
test('positional $[]', 'changes every document of updateMany', async ({ coll, seed }) => {
  await seed({ _id: 1, g: [1] }, { _id: 2, g: [2, 3] });
  await coll.updateMany({}, { $inc: { 'g.$[]': 1 } });
  assert.deepEqual(byText(await coll.distinct('g')), byText([2, 3, 4]));
});
