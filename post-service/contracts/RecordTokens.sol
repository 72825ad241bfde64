// SPDX-License-Identifier: MIT
// The tokens of NFT records: an ERC-1155 contract in which every id has one token or none.
//
// A token comes into being in one of two ways. A minter sends `mint`, and pays for it. Or a minter has signed a voucher (EIP-712),
// and any account sends `redeem`, and pays for it: the token goes to the recipient that the voucher names. Both ways end in
// the same function, which refuses an id that has a token. There is no way to destroy one, so an id never has a second.
pragma solidity 0.8.37;

interface IERC165 {
    function supportsInterface(bytes4 interfaceId) external view returns (bool);
}

interface IERC1155 is IERC165 {
    event TransferSingle(address indexed operator, address indexed from, address indexed to, uint256 id, uint256 value);
    event TransferBatch(
        address indexed operator, address indexed from, address indexed to, uint256[] ids, uint256[] values
    );
    event ApprovalForAll(address indexed account, address indexed operator, bool approved);
    event URI(string value, uint256 indexed id);

    function balanceOf(address account, uint256 id) external view returns (uint256);
    function balanceOfBatch(address[] calldata accounts, uint256[] calldata ids) external view returns (uint256[] memory);
    function setApprovalForAll(address operator, bool approved) external;
    function isApprovedForAll(address account, address operator) external view returns (bool);
    function safeTransferFrom(address from, address to, uint256 id, uint256 value, bytes calldata data) external;
    function safeBatchTransferFrom(
        address from, address to, uint256[] calldata ids, uint256[] calldata values, bytes calldata data
    ) external;
}

interface IERC1155MetadataURI is IERC1155 {
    function uri(uint256 id) external view returns (string memory);
}

interface IERC1155Receiver is IERC165 {
    function onERC1155Received(address operator, address from, uint256 id, uint256 value, bytes calldata data)
        external
        returns (bytes4);
    function onERC1155BatchReceived(
        address operator, address from, uint256[] calldata ids, uint256[] calldata values, bytes calldata data
    ) external returns (bytes4);
}

contract RecordTokens is IERC1155MetadataURI {
    /// What a minter has signed: that this id may be minted, to this recipient, with this metadata, until then.
    struct Voucher {
        uint256 id;
        address recipient;
        string uri;
        /// In seconds of Unix time; the last one at which it holds.
        uint256 deadline;
    }

    event MinterChanged(address indexed minter, bool allowed);
    event OwnershipOffered(address indexed owner, address indexed successor);
    event OwnershipTransferred(address indexed previous, address indexed owner);

    error NotOwner(address caller);
    error NotMinter(address account);
    error AlreadyMinted(uint256 id);
    error UnknownToken(uint256 id);
    error VoucherExpired(uint256 deadline);
    error InvalidSignature();
    error ZeroAddress();
    error NotApproved(address caller, address from);
    error InsufficientBalance(address from, uint256 id, uint256 value);
    error LengthMismatch();
    error UnsafeRecipient(address to);

    bytes32 private constant DOMAIN_TYPE =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant VOUCHER_TYPE =
        keccak256("Voucher(uint256 id,address recipient,string uri,uint256 deadline)");
    /// Half the order of the curve: of the two signatures that every signature has, only the lower one is accepted.
    uint256 private constant MAX_S = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    string public constant name = "RecordTokens";

    address public owner;
    /// The account that was offered the ownership; it changes hands when it is accepted.
    address public successor;
    mapping(address account => bool) public isMinter;

    /// Who has the one token of an id; zero as long as it is not minted.
    mapping(uint256 id => address) private _holders;
    mapping(uint256 id => string) private _uris;
    mapping(address account => mapping(address operator => bool)) private _approvals;

    constructor(address minter) {
        owner = msg.sender;
        emit OwnershipTransferred(address(0), msg.sender);
        if (minter != address(0)) {
            isMinter[minter] = true;
            emit MinterChanged(minter, true);
        }
    }

    modifier onlyOwner() {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        _;
    }

    // Administration.

    function setMinter(address minter, bool allowed) external onlyOwner {
        if (minter == address(0)) revert ZeroAddress();
        isMinter[minter] = allowed;
        emit MinterChanged(minter, allowed);
    }

    /// Offers the ownership. An address without a key never accepts, so a slip of the pen loses nothing.
    function transferOwnership(address to) external onlyOwner {
        successor = to;
        emit OwnershipOffered(msg.sender, to);
    }

    function acceptOwnership() external {
        if (msg.sender != successor) revert NotOwner(msg.sender);
        emit OwnershipTransferred(owner, msg.sender);
        owner = msg.sender;
        successor = address(0);
    }

    // Minting.

    /// Mints the token of an id; for minters, who pay for it.
    function mint(address to, uint256 id, string calldata uri_) external {
        if (!isMinter[msg.sender]) revert NotMinter(msg.sender);
        _mint(to, id, uri_);
    }

    /// Mints what a voucher says; for everyone, who pay for it. A voucher of an account that is no minter any more is void.
    function redeem(Voucher calldata voucher, bytes calldata signature) external {
        if (block.timestamp > voucher.deadline) revert VoucherExpired(voucher.deadline);
        address signer = _recover(voucherHash(voucher), signature);
        if (!isMinter[signer]) revert NotMinter(signer);
        _mint(voucher.recipient, voucher.id, voucher.uri);
    }

    /// Whether the token of an id exists.
    function exists(uint256 id) external view returns (bool) {
        return _holders[id] != address(0);
    }

    /// Who has the token of an id; zero as long as it is not minted.
    function holderOf(uint256 id) external view returns (address) {
        return _holders[id];
    }

    /// What a minter signs, by EIP-712.
    function voucherHash(Voucher calldata voucher) public view returns (bytes32) {
        bytes32 content = keccak256(
            abi.encode(VOUCHER_TYPE, voucher.id, voucher.recipient, keccak256(bytes(voucher.uri)), voucher.deadline)
        );
        return keccak256(abi.encodePacked("\x19\x01", domainSeparator(), content));
    }

    /// Computed each time: after a split of the chain, a voucher of the one branch does not hold on the other.
    function domainSeparator() public view returns (bytes32) {
        return keccak256(
            abi.encode(DOMAIN_TYPE, keccak256(bytes(name)), keccak256(bytes("1")), block.chainid, address(this))
        );
    }

    function _mint(address to, uint256 id, string calldata uri_) private {
        if (to == address(0)) revert ZeroAddress();
        if (_holders[id] != address(0)) revert AlreadyMinted(id);
        // Before the recipient is called, which may call back.
        _holders[id] = to;
        _uris[id] = uri_;
        emit TransferSingle(msg.sender, address(0), to, id, 1);
        emit URI(uri_, id);
        _check(address(0), to, id, 1, "");
    }

    function _recover(bytes32 hash, bytes calldata signature) private pure returns (address) {
        if (signature.length != 65) revert InvalidSignature();
        bytes32 r = bytes32(signature[0:32]);
        bytes32 s = bytes32(signature[32:64]);
        uint8 v = uint8(signature[64]);
        if (uint256(s) > MAX_S) revert InvalidSignature();
        address signer = ecrecover(hash, v, r, s);
        if (signer == address(0)) revert InvalidSignature();
        return signer;
    }

    // ERC-1155.

    function uri(uint256 id) external view returns (string memory) {
        if (_holders[id] == address(0)) revert UnknownToken(id);
        return _uris[id];
    }

    function balanceOf(address account, uint256 id) public view returns (uint256) {
        if (account == address(0)) revert ZeroAddress();
        return _holders[id] == account ? 1 : 0;
    }

    function balanceOfBatch(address[] calldata accounts, uint256[] calldata ids)
        external
        view
        returns (uint256[] memory balances)
    {
        if (accounts.length != ids.length) revert LengthMismatch();
        balances = new uint256[](ids.length);
        for (uint256 i = 0; i < ids.length; i++) {
            balances[i] = balanceOf(accounts[i], ids[i]);
        }
    }

    function setApprovalForAll(address operator, bool approved) external {
        _approvals[msg.sender][operator] = approved;
        emit ApprovalForAll(msg.sender, operator, approved);
    }

    function isApprovedForAll(address account, address operator) external view returns (bool) {
        return _approvals[account][operator];
    }

    function safeTransferFrom(address from, address to, uint256 id, uint256 value, bytes calldata data) external {
        _authorise(from, to);
        _move(from, to, id, value);
        emit TransferSingle(msg.sender, from, to, id, value);
        _check(from, to, id, value, data);
    }

    function safeBatchTransferFrom(
        address from,
        address to,
        uint256[] calldata ids,
        uint256[] calldata values,
        bytes calldata data
    ) external {
        _authorise(from, to);
        if (ids.length != values.length) revert LengthMismatch();
        for (uint256 i = 0; i < ids.length; i++) {
            _move(from, to, ids[i], values[i]);
        }
        emit TransferBatch(msg.sender, from, to, ids, values);
        if (to.code.length == 0) return;
        try IERC1155Receiver(to).onERC1155BatchReceived(msg.sender, from, ids, values, data) returns (bytes4 answer) {
            if (answer != IERC1155Receiver.onERC1155BatchReceived.selector) revert UnsafeRecipient(to);
        } catch {
            revert UnsafeRecipient(to);
        }
    }

    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IERC165).interfaceId || interfaceId == type(IERC1155).interfaceId
            || interfaceId == type(IERC1155MetadataURI).interfaceId;
    }

    function _authorise(address from, address to) private view {
        if (to == address(0)) revert ZeroAddress();
        if (msg.sender != from && !_approvals[from][msg.sender]) revert NotApproved(msg.sender, from);
    }

    /// A transfer of none is one, by the standard, and changes nothing.
    function _move(address from, address to, uint256 id, uint256 value) private {
        if (value == 0) return;
        if (value != 1 || _holders[id] != from) revert InsufficientBalance(from, id, value);
        _holders[id] = to;
    }

    /// A contract that cannot deal with tokens gets none.
    function _check(address from, address to, uint256 id, uint256 value, bytes memory data) private {
        if (to.code.length == 0) return;
        try IERC1155Receiver(to).onERC1155Received(msg.sender, from, id, value, data) returns (bytes4 answer) {
            if (answer != IERC1155Receiver.onERC1155Received.selector) revert UnsafeRecipient(to);
        } catch {
            revert UnsafeRecipient(to);
        }
    }
}
