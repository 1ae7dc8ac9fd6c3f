import { errorAnswers, type Api, type RouteContext } from '../route-context.ts';
import { Type } from 'typebox';
import { EmptyAnswer, RecordingAnswer, RecordingSchema, StatusAnswer } from '../schema.ts';

/** The capture as a whole: how it stands, whether it records, and its clearing. */
export function registerStatus(app: Api, context: RouteContext): void {
  const { reader, live } = context;
  app.get(
    '/api/status',
    {
      schema: {
        summary: 'Version, uptime, addresses, totals, memory and what was evicted',
        response: { 200: StatusAnswer, ...errorAnswers },
      },
    },
    () => ({
      version: context.version,
      command: context.command,
      uptimeMs: context.uptimeMs(),
      proxy: context.proxyAddress(),
      dashboard: context.dashboardAddress(),
      ...reader.status(),
    }),
  );

  app.post(
    '/api/clear',
    {
      schema: {
        summary: 'Frees what is captured, and begins a new epoch',
        response: { 204: EmptyAnswer, ...errorAnswers },
      },
    },
    (_request, reply) => {
      reader.clear();
      live.poke();
      void reply.code(204).send(null);
    },
  );

  app.post(
    '/api/recording',
    {
      schema: {
        summary: 'Stops or resumes keeping what passes; forwarding is not touched',
        body: RecordingSchema,
        response: { 200: RecordingAnswer, ...errorAnswers },
      },
    },
    (request) => {
      reader.setRecording(request.body.recording);
      live.poke();
      return { recording: reader.status().recording };
    },
  );

  app.get(
    '/api/ca.pem',
    {
      schema: {
        summary: 'The certificate of the authority, to be trusted by clients',
        response: {
          200: { description: 'PEM', content: { 'application/x-pem-file': { schema: Type.String() } } },
          ...errorAnswers,
        },
      },
    },
    (_request, reply) => {
      reply.type('application/x-pem-file').header('content-disposition', 'attachment; filename="frametap-ca.pem"');
      return context.caCertificatePem;
    },
  );
}
