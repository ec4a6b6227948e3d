/** The most that an item of DynamoDB may have, names and keys included. */
export const MAX_ITEM_BYTES = 400 * 1024;

/**
 * The most that `MAX_DEFAULTS_LENGTH` may be where orders are kept in DynamoDB. A body may have twelve bytes for each character of
 * `defaults` and 16 KB more (`maxBodyBytes` in http/json-body.ts), and any of its fields may take them all, in text that does not
 * compress. With 24 KB for what the server adds to a request, an order of the largest body is just as large as an item may be.
 */
export const MAX_DEFAULTS_LENGTH = 30_720;
