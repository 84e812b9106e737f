extension ClientConnection {
  /// What a head says about how its request is to be taken in.
  struct Request: Hashable {
    var body: RequestHead.Body
    /// Bytes that the body may have.
    var limit: Int
    var isKeptAlive = true
    var expectsContinue = false
  }

  enum Admission {
    case granted
    /// It has to be asked whose key that is.
    case unknown
    case refused(APIError)
  }

  enum Action {
    case none
    /// Find out whether the caller may send a body.
    case check
    /// Tell the client to go on.
    case sendContinue
    case keep
    case run
    /// Answer with an error; the connection is closed after it when `isLast`.
    case refuse(APIError, isLast: Bool)
    /// Close when all that was written has been sent.
    case finish
    /// Close the side that we send on.
    case closeOutput
    case close
  }
}
