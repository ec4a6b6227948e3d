/** An attribute in DynamoDB's own JSON, which writes bytes in base64. */
export type DumpedValue = { S: string } | { N: string } | { B: string } | { BOOL: boolean } | { NS: string[] };

export type DumpedItem = Readonly<Record<string, DumpedValue>>;

/** Both tables of a deployment. */
export interface DumpedTables {
  readonly builds: readonly DumpedItem[];
  readonly statistics: readonly DumpedItem[];
}

/** An object of the bucket. Its bytes are `text` where they are UTF-8, else `base64`. */
export interface DumpedObject {
  readonly key: string;
  /** The parameters of PutObject by which S3 stores the headers. */
  readonly headers: {
    readonly ContentType?: string | undefined;
    readonly CacheControl?: string | undefined;
    readonly ContentDisposition?: string | undefined;
    readonly ContentEncoding?: string | undefined;
    readonly Metadata?: Record<string, string> | undefined;
  };
  readonly text?: string;
  readonly base64?: string;
}

export interface DumpedMessage {
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface DumpedQueues {
  readonly builds: readonly DumpedMessage[];
  readonly deadLetters: readonly DumpedMessage[];
}
