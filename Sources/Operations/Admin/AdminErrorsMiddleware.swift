import Hummingbird
import Logging
import NIOCore

/// Turns every error into a JSON answer, also those that the router itself makes.
struct AdminErrorsMiddleware: RouterMiddleware {
    typealias Context = AdminContext

    /// The paths that there are, for people who have asked for another one.
    let paths: [String]

    @concurrent func handle(
        _ request: Request,
        context: AdminContext,
        next: @concurrent (Request, AdminContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as AdminError {
            return error.response()
        } catch let error as HTTPError where error.status == .notFound {
            return AdminError(
                .notFound,
                "There is no \(request.uri.path).",
                hint: "Paths: \(self.paths.joined(separator: ", "))."
            ).response()
        } catch is NIOTooManyBytesError {
            return Self.tooLarge().response()
        } catch let error as HTTPError where error.status == .contentTooLarge {
            return Self.tooLarge().response()
        } catch {
            context.logger.error(
                "admin request failed",
                metadata: ["error": "\(error)", "path": "\(request.uri.path)"]
            )
            return AdminError(.internalError, "The request failed; the log says more.").response()
        }
    }

    private static func tooLarge() -> AdminError {
        AdminError(.bodyTooLarge, "The body is longer than \(AdminServer.bodyBytesMax) bytes.")
    }
}
