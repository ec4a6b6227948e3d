import { AsuError } from '#core/errors.ts';

export class ServiceUnreachableError extends AsuError {
  readonly status = 502;
  readonly title = 'Bad Gateway';
  override readonly headers = { 'Retry-After': '5' };
  constructor(service: string, options?: ErrorOptions) {
    super(`Bad Gateway: the ${service} service cannot be reached`, options);
  }
}

export class ServiceTimeoutError extends AsuError {
  readonly status = 504;
  readonly title = 'Gateway Timeout';
  override readonly headers = { 'Retry-After': '5' };
  constructor(service: string, milliseconds: number) {
    super(`Gateway Timeout: the ${service} service has not answered within ${milliseconds / 1000} s`);
  }
}

export class NoSuchServiceError extends AsuError {
  readonly status = 503;
  readonly title = 'Service Unavailable';
  constructor(service: string) {
    super(`Service Unavailable: there is no ${service} service here`);
  }
}

export class BusyGatewayError extends AsuError {
  readonly status = 503;
  readonly title = 'Service Unavailable';
  override readonly headers = { 'Retry-After': '5' };
  constructor() {
    super('Service Unavailable: the gateway holds as many requests as it can, ask again in some seconds');
  }
}
