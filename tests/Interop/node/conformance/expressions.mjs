// Manual: "Aggregation Operators", expression operators; "Variables in Aggregation Expressions".
import { Decimal128, Double, Int32, Long, ObjectId } from 'mongodb';
import { assert, fails, test } from './harness.mjs';

const document = {
  _id: 1, one: 1, two: 2, text: 'Hello', list: [3, 1, 2], empty: [], nothing: null, inner: { x: 5, y: { z: 6 } },
  docs: [{ x: 1 }, { x: 2 }, { y: 3 }], date: new Date('2014-03-05T08:15:39.736Z'), yes: true, no: false, zero: 0,
};

function gives(subject, promise, expression, expected) {
  test(subject, promise, async ({ coll, seed }) => {
    await seed(document);
    const [found] = await coll.aggregate([{ $project: { _id: 0, v: expression } }]).toArray();
    assert.deepEqual(found, expected === undefined ? {} : { v: expected });
  });
}

function refuses(subject, promise, codes, expression) {
  test(subject, promise, async ({ coll, seed }) => {
    await seed(document);
    await fails(codes, () => coll.aggregate([{ $project: { v: expression } }]).toArray());
  });
}

const type = expression => ({ $type: expression });

gives('expression', 'a path leads into documents', '$inner.y.z', 6);
gives('expression', 'a path leads through arrays', '$docs.x', [1, 2]);
gives('expression', 'a path that leads nowhere is missing', '$none.x', undefined);
gives('expression', '$$ROOT is the document', '$$ROOT.one', 1);
gives('expression', '$$CURRENT is the document', '$$CURRENT.two', 2);
gives('expression', '$$REMOVE is missing', '$$REMOVE', undefined);
gives('expression', '$$NOW is a date', type('$$NOW'), 'date');
gives('expression', 'a document of expressions', { a: '$one', b: { c: '$two' } }, { a: 1, b: { c: 2 } });
refuses('expression', 'an unknown variable is an error', 17276, '$$nonsense');
refuses('expression', 'an unknown operator is an error', [168, 31325], { $nonsense: 1 });
refuses('expression', 'an operator stands alone', [15983, 31325, 40182, 16410], { a: { $add: [1], b: 1 } });

const five = [5, 5], order = [1, 2];
gives('expression $eq', 'equal', { $eq: five }, true);
gives('expression $eq', 'compares types too', { $eq: ['1', 1] }, false);
gives('expression $eq', 'numbers of different types are equal', { $eq: [Long.fromNumber(5), new Double(5)] }, true);
gives('expression $eq', 'missing is not null', { $eq: ['$none', null] }, false);
gives('expression $ne', 'not equal', { $ne: order }, true);
gives('expression $gt', 'greater', { $gt: order }, false);
gives('expression $gt', 'types have an order', { $gt: ['a', 1] }, true);
gives('expression $gte', 'greater or equal', { $gte: five }, true);
gives('expression $lt', 'less', { $lt: order }, true);
gives('expression $lt', 'missing is less than null', { $lt: ['$none', null] }, true);
gives('expression $lte', 'less or equal', { $lte: order }, true);
gives('expression $cmp', 'less is -1', { $cmp: order }, -1);
gives('expression $cmp', 'equal is 0', { $cmp: five }, 0);
gives('expression $cmp', 'greater is 1', { $cmp: [2, 1] }, 1);
gives('expression $and', 'all', { $and: [1, 'x', true] }, true);
gives('expression $and', 'null is false', { $and: [1, null] }, false);
gives('expression $and', 'of nothing is true', { $and: [] }, true);
gives('expression $and', 'empty text and arrays are true', { $and: ['', []] }, true);
gives('expression $or', 'any', { $or: [0, '$yes'] }, true);
gives('expression $or', 'of nothing is false', { $or: [] }, false);
gives('expression $or', 'null, 0 and missing are false', { $or: [null, 0, '$none'] }, false);
gives('expression $not', 'the other', { $not: ['$yes'] }, false);
gives('expression $not', 'an array is true', { $not: [[false]] }, false);
gives('expression $not', 'of null is true', { $not: [null] }, true);

gives('expression $add', 'numbers', { $add: ['$one', '$two', 0.5] }, 3.5);
gives('expression $add', 'milliseconds to a date', { $add: ['$date', 1000] }, new Date('2014-03-05T08:15:40.736Z'));
gives('expression $add', 'null gives null', { $add: [1, null] }, null);
gives('expression $add', 'missing gives null', { $add: [1, '$none'] }, null);
gives('expression $add', 'ints that overflow are a long', type({ $add: [new Int32(2147483647), new Int32(1)] }), 'long');
gives('expression $add', 'a decimal makes a decimal', { $add: [Decimal128.fromString('0.1'), 1] }, Decimal128.fromString('1.1'));
refuses('expression $add', 'two dates are an error', 16612, { $add: ['$date', '$date'] });
refuses('expression $add', 'text is an error', [14, 16554], { $add: ['$text', 1] });
gives('expression $subtract', 'numbers', { $subtract: ['$two', 5] }, -3);
gives('expression $subtract', 'dates are milliseconds', { $subtract: ['$date', new Date('2014-03-05T08:15:39.000Z')] }, 736);
gives('expression $subtract', 'milliseconds from a date', { $subtract: ['$date', 736] }, new Date('2014-03-05T08:15:39.000Z'));
gives('expression $subtract', 'null gives null', { $subtract: [1, '$nothing'] }, null);
gives('expression $multiply', 'numbers', { $multiply: ['$two', 3, 4] }, 24);
gives('expression $multiply', 'null gives null', { $multiply: ['$two', null] }, null);
gives('expression $divide', 'numbers', { $divide: [7, 2] }, 3.5);
gives('expression $divide', 'is a double', type({ $divide: [4, 2] }), 'double');
refuses('expression $divide', 'by zero is an error', [2, 16608], { $divide: [1, 0] });
gives('expression $mod', 'the remainder', { $mod: [80, 7] }, 3);
gives('expression $mod', 'has the sign of the dividend', { $mod: [-13, 9] }, -4);
refuses('expression $mod', 'by zero is an error', 16610, { $mod: [1, 0] });
gives('expression $abs', 'of a negative number', { $abs: -5 }, 5);
gives('expression $abs', 'of null is null', { $abs: '$none' }, null);
gives('expression $ceil', 'rounds up', { $ceil: 2.3 }, 3);
gives('expression $ceil', 'of a negative number', { $ceil: -2.8 }, -2);
gives('expression $floor', 'rounds down', { $floor: -2.8 }, -3);
refuses('expression $floor', 'of text is an error', 28765, { $floor: '$text' });
gives('expression $sum', 'of several', { $sum: ['$one', '$two', '$text'] }, 3);
gives('expression $sum', 'of an array', { $sum: '$list' }, 6);
gives('expression $sum', 'arrays among several are ignored', { $sum: ['$list', 1] }, 1);
gives('expression $avg', 'of an array', { $avg: '$list' }, 2);
gives('expression $avg', 'of no numbers is null', { $avg: '$empty' }, null);
gives('expression $min', 'of an array', { $min: '$list' }, 1);
gives('expression $min', 'ignores null and missing', { $min: [null, '$none', 4] }, 4);
gives('expression $max', 'of an array', { $max: '$list' }, 3);
gives('expression $max', 'of nothing is null', { $max: '$empty' }, null);

gives('expression $concat', 'texts', { $concat: ['$text', ' - ', 'x'] }, 'Hello - x');
gives('expression $concat', 'null gives null', { $concat: ['$text', '$none'] }, null);
refuses('expression $concat', 'a number is an error', 16702, { $concat: ['$text', 1] });
gives('expression $toLower', 'text', { $toLower: '$text' }, 'hello');
gives('expression $toLower', 'null is empty', { $toLower: '$nothing' }, '');
gives('expression $toUpper', 'text', { $toUpper: '$text' }, 'HELLO');
gives('expression $strLenCP', 'counts code points', { $strLenCP: 'é寿司😀' }, 4);
refuses('expression $strLenCP', 'of null is an error', 34471, { $strLenCP: '$nothing' });
gives('expression $substrCP', 'by code points', { $substrCP: ['cafétéria', 5, 4] }, 'éria');
gives('expression $substrCP', 'beyond the end is empty', { $substrCP: ['abc', 5, 4] }, '');
gives('expression $substrCP', 'of null is empty', { $substrCP: ['$nothing', 0, 4] }, '');
gives('expression $split', 'at a text', { $split: ['astronomical', 'astro'] }, ['', 'nomical']);
gives('expression $split', 'not found', { $split: ['headphone jack', 'jackal'] }, ['headphone jack']);
refuses('expression $split', 'at an empty text is an error', 40087, { $split: ['a', ''] });
refuses('expression $split', 'of a number is an error', 40085, { $split: [5, 'x'] });

gives('expression $size', 'counts', { $size: '$list' }, 3);
refuses('expression $size', 'of no array is an error', 17124, { $size: '$none' });
gives('expression $isArray', 'an array', { $isArray: ['$list'] }, true);
gives('expression $isArray', 'no array', { $isArray: '$text' }, false);
gives('expression $arrayElemAt', 'from the start', { $arrayElemAt: ['$list', 0] }, 3);
gives('expression $arrayElemAt', 'from the end', { $arrayElemAt: ['$list', -1] }, 2);
gives('expression $arrayElemAt', 'beyond the end is missing', { $arrayElemAt: ['$list', 9] }, undefined);
gives('expression $arrayElemAt', 'of null is null', { $arrayElemAt: ['$nothing', 0] }, null);
refuses('expression $arrayElemAt', 'of text is an error', 28689, { $arrayElemAt: ['$text', 0] });
gives('expression $first', 'of an array', { $first: '$list' }, 3);
gives('expression $first', 'of an empty array is missing', { $first: '$empty' }, undefined);
refuses('expression $first', 'of text is an error', 28689, { $first: '$text' });
gives('expression $last', 'of an array', { $last: '$list' }, 2);
gives('expression $in', 'is there', { $in: [2, '$list'] }, true);
gives('expression $in', 'is not there', { $in: ['abc', ['xyz', '$text']] }, false);
refuses('expression $in', 'needs an array', 40081, { $in: [1, '$text'] });
gives('expression $concatArrays', 'joins', { $concatArrays: ['$list', ['$text'], []] }, [3, 1, 2, 'Hello']);
gives('expression $concatArrays', 'null gives null', { $concatArrays: ['$list', '$none'] }, null);
refuses('expression $concatArrays', 'text is an error', 28664, { $concatArrays: ['$list', '$text'] });
gives('expression $reverseArray', 'reverses', { $reverseArray: '$list' }, [2, 1, 3]);
gives('expression $reverseArray', 'leaves inner arrays alone', { $reverseArray: [[[1, 2], [3]]] }, [[3], [1, 2]]);
refuses('expression $reverseArray', 'of text is an error', 34435, { $reverseArray: '$text' });
gives('expression $slice', 'the first', { $slice: ['$list', 2] }, [3, 1]);
gives('expression $slice', 'the last', { $slice: ['$list', -2] }, [1, 2]);
gives('expression $slice', 'from a position', { $slice: ['$list', 1, 2] }, [1, 2]);
gives('expression $slice', 'from a position counted from the end', { $slice: ['$list', -2, 1] }, [1]);
gives('expression $slice', 'beyond the end is empty', { $slice: ['$list', 15, 2] }, []);
refuses('expression $slice', 'of text is an error', 28724, { $slice: ['$text', 1] });
gives('expression $map', 'each element', { $map: { input: '$list', as: 'n', in: { $multiply: ['$$n', 2] } } }, [6, 2, 4]);
gives('expression $map', 'is called this', { $map: { input: '$list', in: { $add: ['$$this', '$one'] } } }, [4, 2, 3]);
gives('expression $map', 'missing becomes null', { $map: { input: '$docs', in: '$$this.x' } }, [1, 2, null]);
gives('expression $map', 'of null is null', { $map: { input: '$nothing', in: '$$this' } }, null);
refuses('expression $map', 'of text is an error', 16883, { $map: { input: '$text', in: '$$this' } });
gives('expression $filter', 'elements that pass', { $filter: { input: '$list', as: 'n', cond: { $gt: ['$$n', 1] } } }, [3, 2]);
gives('expression $filter', 'no more than its limit', { $filter: { input: '$list', cond: { $gt: ['$$this', 1] }, limit: 1 } }, [3]);
refuses('expression $filter', 'a limit is positive', 327392, { $filter: { input: '$list', cond: true, limit: { $subtract: ['$one', 1] } } });
gives('expression $filter', 'of null is null', { $filter: { input: '$none', cond: true } }, null);
refuses('expression $filter', 'of text is an error', 28651, { $filter: { input: '$text', cond: true } });
gives('expression $let', 'variables see the scope outside', { $let: { vars: { a: '$one', b: { $add: ['$two', 5] } }, in: { $add: ['$$a', '$$b'] } } }, 8);
gives('expression $let', 'scopes nest', { $let: { vars: { a: 1 }, in: { $let: { vars: { a: 2, b: '$$a' }, in: ['$$a', '$$b'] } } } }, [2, 1]);
refuses('expression $let', 'needs in', 16877, { $let: { vars: {} } });
refuses('expression $let', 'a name begins with a lowercase letter', [9, 16867], { $let: { vars: { A: 1 }, in: 1 } });

gives('expression $cond', 'as an object', { $cond: { if: { $gte: ['$two', 2] }, then: 'yes', else: 'no' } }, 'yes');
gives('expression $cond', 'as an array', { $cond: ['$none', 'yes', 'no'] }, 'no');
gives('expression $cond', 'evaluates only what it returns', { $cond: ['$yes', 1, { $divide: ['$one', '$zero'] }] }, 1);
refuses('expression $cond', 'needs three arguments', 16020, { $cond: ['$yes', 1] });
refuses('expression $cond', 'needs then', 17081, { $cond: { if: 1, else: 2 } });
refuses('expression $cond', 'another argument is an error', 17083, { $cond: { if: 1, then: 1, else: 2, nonsense: 1 } });
gives('expression $ifNull', 'the first that is not null', { $ifNull: ['$none', '$nothing', '$text', 'x'] }, 'Hello');
gives('expression $ifNull', 'the last otherwise', { $ifNull: ['$none', 'x'] }, 'x');
gives('expression $switch', 'the first true branch', { $switch: { branches: [{ case: { $eq: ['$one', 5] }, then: 'five' }, { case: { $eq: ['$one', 1] }, then: 'one' }], default: 'other' } }, 'one');
gives('expression $switch', 'the default', { $switch: { branches: [{ case: false, then: 1 }], default: '$text' } }, 'Hello');
// What no constant decides, so that no server finds it out before it runs.
refuses('expression $switch', 'without a branch that is true is an error', 40066, { $switch: { branches: [{ case: '$no', then: 1 }] } });
refuses('expression $switch', 'needs branches', 40068, { $switch: { branches: [] } });
gives('expression $literal', 'is not read', { $literal: { $add: ['$one', 1] } }, { $add: ['$one', 1] });
gives('expression $const', 'is $literal', { $const: '$one' }, '$one');

gives('expression $mergeObjects', 'merges', { $mergeObjects: ['$inner', { x: 1, q: '$one' }] }, { x: 1, y: { z: 6 }, q: 1 });
gives('expression $mergeObjects', 'ignores null', { $mergeObjects: [null, { a: 1 }, '$none'] }, { a: 1 });
gives('expression $mergeObjects', 'of null is an empty document', { $mergeObjects: ['$nothing', '$none'] }, {});
refuses('expression $mergeObjects', 'of text is an error', 40400, { $mergeObjects: ['$text'] });
for (const [path, name] of [['$one', 'int'], ['$text', 'string'], ['$list', 'array'], ['$inner', 'object'], ['$nothing', 'null'], ['$none', 'missing'], ['$date', 'date'], ['$yes', 'bool']]) {
  gives('expression $type', `of ${path}`, type(path), name);
}
gives('expression $isNumber', 'a number', { $isNumber: '$one' }, true);
gives('expression $isNumber', 'no number', { $isNumber: '$text' }, false);
gives('expression $toString', 'a boolean', { $toString: '$yes' }, 'true');
gives('expression $toString', 'a double', { $toString: 2.5 }, '2.5');
gives('expression $toString', 'an int', { $toString: '$two' }, '2');
gives('expression $toString', 'an ObjectId', { $toString: new ObjectId('5ab9c3da31c2ab715d421285') }, '5ab9c3da31c2ab715d421285');
gives('expression $toString', 'a date', { $toString: '$date' }, '2014-03-05T08:15:39.736Z');
gives('expression $toString', 'null', { $toString: '$nothing' }, null);
refuses('expression $toString', 'an array is an error', 241, { $toString: '$list' });
for (const [name, value] of [['$year', 2014], ['$month', 3], ['$dayOfMonth', 5], ['$hour', 8], ['$minute', 15], ['$second', 39]]) {
  gives(`expression ${name}`, 'of a date', { [name]: '$date' }, value);
  gives(`expression ${name}`, 'of null is null', { [name]: '$none' }, null);
  refuses(`expression ${name}`, 'of text is an error', 16006, { [name]: '$text' });
}
gives('expression $year', 'of an ObjectId', { $year: new ObjectId('5ab9c3da31c2ab715d421285') }, 2018);
refuses('expression $eq', 'needs two arguments', 16020, { $eq: [1] });
