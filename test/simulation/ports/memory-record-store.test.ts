import { recordStoreContract } from '#test/contracts/record-store.ts';
import { memoryRecordStore } from './memory-record-store.ts';

recordStoreContract('in memory', memoryRecordStore);
