import type { UpdateItemCommandInput } from '@aws-sdk/client-dynamodb';
import { type Build, markOf } from '#core/build/build.ts';
import { type Item, itemOf, MOVING_FIELDS } from './build-item.ts';
import { INDEX_ATTRIBUTES, indexAttributes } from './sweep-lists.ts';

type MoveExpression = Required<
  Pick<
    UpdateItemCommandInput,
    | 'UpdateExpression'
    | 'ConditionExpression'
    | 'ExpressionAttributeNames'
    | 'ExpressionAttributeValues'
    | 'ReturnValues'
    | 'ReturnValuesOnConditionCheckFailure'
  >
>;

/**
 * Returns the write of a transition: if `from` still describes the row, it sets the fields that `to` has and removes
 * the others.
 */
export function moveExpression(from: Build, to: Build, signature: string, lapsedAt: Date | undefined): MoveExpression {
  const item: Item = { ...itemOf(to), ...indexAttributes(to), signature: { S: signature } };
  const set: string[] = [];
  const remove: string[] = [];
  const names: Record<string, string> = {};
  const values: Item = {};
  for (const name of [...MOVING_FIELDS, ...INDEX_ATTRIBUTES, 'signature']) {
    const value = item[name];
    names[`#${name}`] = name;
    if (value === undefined) remove.push(`#${name}`);
    else {
      set.push(`#${name} = :${name}`);
      values[`:${name}`] = value;
    }
  }
  const mark = markOf(from);
  values[':fromState'] = { S: from.state };
  values[':fromMark'] = { S: mark.value };
  if (lapsedAt !== undefined) values[':lapsedAt'] = { S: lapsedAt.toISOString() };
  return {
    UpdateExpression: `SET ${set.join(', ')} REMOVE ${remove.join(', ')}`,
    ConditionExpression: `#state = :fromState AND #${mark.field} = :fromMark${lapsedAt === undefined ? '' : ' AND #leaseEndsAt <= :lapsedAt'}`,
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
    ReturnValues: 'ALL_NEW',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  };
}
