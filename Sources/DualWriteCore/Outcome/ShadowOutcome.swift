extension ShadowBreaker.Outcome {
    /// What the answer to a copy says of its cluster.
    ///
    /// - Parameter errorCode: of an ERROR; the one of WRITE_TIMEOUT also where the proxy's own deadline has passed, or a
    ///   connection was lost.
    public init(_ answer: AnswerClass, errorCode: Int32?) {
        switch answer {
        case .success: self = .success
        // A password that is not good (any more) is the user's, not the cluster's fault.
        case .definiteRefusal:
            self = ShadowRetry.isForGood(errorCode: errorCode) || errorCode == 0x0100 ? .refused : .failed
        case .unknown: self = errorCode == 0x1100 ? .silent : .failed
        }
    }
}
