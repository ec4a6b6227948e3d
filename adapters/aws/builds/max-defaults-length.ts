/** The size limit of a DynamoDB item, names and keys included. */
export const MAX_ITEM_BYTES = 400 * 1024;

/**
 * The largest allowed value of the setting `MAX_DEFAULTS_LENGTH` when orders are stored in DynamoDB. A body may have
 * twelve bytes for each character of `defaults` and 16 KB more (`maxBodyBytes` in http/json-body.ts), and one field may
 * use all of them with text that does not compress. With 24 KB for what the server adds to a request, the order of the
 * largest body just fits into an item.
 */
export const MAX_DEFAULTS_LENGTH = 30_720;
