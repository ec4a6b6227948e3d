/**
 * The filter for lines of the API's access log with a 5xx that no function answered: the function crashed, could not be
 * called, or was too slow. It leaves out 5xx that functions answer: 500 is the answer for a failed build, and
 * unexpected errors have their own metric. A reason that contains quotes breaks the JSON of its line, so the line is
 * not counted; a crash still sets off the alarm on Lambda's errors. The syntax is that of CloudWatch's JSON filters,
 * and a test checks it.
 */
export const API_FAILURE_PATTERN = '{ $.status = "5*" && ($.integrationStatus != "5*" || $.integrationError != "-") }';
