/**
 * Lines of the API's access log that tell of a 5xx which no function answered: it broke, was refused, or was too slow. What functions
 * answer with 5xx themselves is not meant: failed builds are told as 500, and unexpected errors have a metric of their own.
 * A reason with quotes in it would break the line's JSON and the line would not be counted: a function that broke still raises the
 * alarm on Lambda's own errors. CloudWatch's syntax for filters of JSON; a test reads it.
 */
export const API_FAILURE_PATTERN = '{ $.status = "5*" && ($.integrationStatus != "5*" || $.integrationError != "-") }';
