/* What SST writes for linked resources. None are: functions are told names by their environment (docs/decisions). */
import 'sst';
