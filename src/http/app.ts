/** What every Express app of ours begins and ends with. */
import express from 'express';
import { httpFailure, NOT_FOUND } from './failure.ts';

export interface HttpLog {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export function newApp(): express.Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.set('query parser', 'simple');
  return app;
}

/** After the last route: whatever none of them answered is 404, and a failure is answered by a sentence of ours. */
export function answerTheRest(app: express.Express, logger: HttpLog): void {
  app.use((_request: express.Request, response: express.Response) => {
    response.status(NOT_FOUND.status).json({ error: NOT_FOUND.message });
  });
  // Express tells an error handler by its four parameters.
  app.use((error: unknown, request: express.Request, response: express.Response, _next: express.NextFunction) => {
    answerFailure(error, request, response, logger);
  });
}

function answerFailure(error: unknown, request: express.Request, response: express.Response, logger: HttpLog): void {
  const failure = httpFailure(error);
  // The route's template instead of the path, which carries a token.
  const route: unknown = request.route?.path;
  if (failure.status >= 500) logger.error({ err: error, route }, 'A request failed');
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // What is left of the body is not waited for; the answer goes out first.
  if (!request.complete) response.set('connection', 'close');
  response.status(failure.status).json({ error: failure.message });
}
