//! All kinds of defects and oddities of descriptions.

use serde::{Serialize, Serializer};

/// How the import treats a defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Treatment {
    /// Imported unchanged.
    Noted,
    /// The affected part was dropped.
    Dropped,
    /// The likely meaning was assumed.
    Guessed,
    /// The overlay corrected it.
    Patched,
}

macro_rules! defects {
    ($($(#[$doc:meta])* $variant:ident => $treatment:ident, $name:literal;)*) => {
        /// A defect or oddity of a description.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FindingKind { $($(#[$doc])* $variant,)* }

        impl FindingKind {
            /// All of them, in order.
            pub const ALL: &[FindingKind] = &[$(FindingKind::$variant),*];

            /// Its name in reports.
            pub fn name(self) -> &'static str {
                match self { $(FindingKind::$variant => $name,)* }
            }

            /// How the import treats it.
            pub fn treatment(self) -> Treatment {
                match self { $(FindingKind::$variant => Treatment::$treatment,)* }
            }
        }
    };
}

defects! {
    /// Neither the operation nor the document says which scopes are needed.
    SecurityAbsent => Noted, "security absent";
    /// A security requirement without scopes.
    ScopesEmpty => Noted, "security scopes empty list";
    /// No parameter for the version header.
    VersionMissing => Noted, "Version header missing";
    /// `{name}` in the path without a parameter.
    PathParamUndeclared => Guessed, "path param undeclared";
    /// A path parameter that is not marked as required.
    PathParamOptional => Guessed, "path param not required:true";
    /// A path parameter that the path does not have.
    PathParamUnused => Dropped, "path param not in the path";
    /// A path parameter with a fixed set of values.
    PathParamEnum => Noted, "path param enum";
    /// A list in the query string.
    QueryArray => Guessed, "query param array";
    /// An object in the query string.
    QueryObject => Guessed, "query param object";
    /// One name in two places.
    NameTwice => Guessed, "param same name different in/case";
    /// One name as a parameter and in the body.
    NameInBody => Guessed, "param same name as a body field";
    /// A page number or size declared as text.
    PagingText => Guessed, "paging param typed string";
    /// A header parameter other than the version.
    OtherHeader => Dropped, "other header param";
    /// A cookie parameter.
    CookieParam => Dropped, "cookie param";
    /// A parameter without a name or a place.
    ParamBroken => Dropped, "param without name or place";
    /// Types beside instead of inside the parameter's schema.
    ParamSchemaOutside => Dropped, "schema keywords on parameter object";
    /// A multipart body.
    BodyMultipart => Noted, "body content-type multipart/form-data";
    /// A form body.
    BodyForm => Noted, "body content-type application/x-www-form-urlencoded";
    /// A body of a media type that cannot be sent.
    BodyOther => Dropped, "body content-type not supported";
    /// A body without a schema.
    BodyNoSchema => Guessed, "body content without schema";
    /// A body schema that allows nothing in particular.
    BodyEmpty => Guessed, "body schema empty object";
    /// A body that is a list as a whole.
    BodyArray => Noted, "body is array";
    /// A body of several alternatives.
    BodyAlternatives => Guessed, "body of several alternatives";
    /// A body that may be left out.
    BodyOptional => Noted, "body not required";
    /// A DELETE with a body.
    DeleteWithBody => Noted, "DELETE with body";
    /// A GET or HEAD with a body.
    GetWithBody => Dropped, "GET with body";
    /// A write without a body.
    WriteWithoutBody => Noted, "write op without body";
    /// A success without content.
    NoContent => Noted, "2xx without content";
    /// A success whose shape is an object about which nothing is said.
    ResponseEmpty => Noted, "2xx schema empty object";
    /// More than one success status.
    SeveralSuccesses => Guessed, "several 2xx";
    /// No success status at all.
    NoSuccess => Guessed, "no 2xx";
    /// A DELETE that answers 201.
    DeleteCreates => Noted, "DELETE returns 201";
    /// A PUT that answers 201.
    PutCreates => Noted, "PUT returns 201";
    /// The vendor advises against it.
    Deprecated => Noted, "deprecated";
    /// No tags.
    NoTags => Noted, "no tags";
    /// An operationId that stands for two operations.
    OperationIdTwice => Noted, "duplicate operationId";
    /// One path template with differently named parameters.
    TemplateTwice => Noted, "same template, different param name";
    /// A literal path that a template would match too.
    LiteralShadows => Noted, "literal path shadows template";
    /// The same method and path described twice.
    OperationTwice => Dropped, "operation described twice";
    /// A reference that leads nowhere.
    RefBroken => Dropped, "unresolvable $ref";
    /// A reference that leads back to itself.
    RefCyclic => Dropped, "cyclic $ref";
    /// A schema type that does not exist.
    TypeInvalid => Guessed, "invalid schema type";
    /// An object without properties whose example is something else.
    TypeFromExample => Guessed, "object with an example of another type";
    /// A schema that is no schema.
    SchemaBroken => Dropped, "not a schema";
    /// An allowed value that is not of the schema's type.
    EnumWrongType => Dropped, "enum value of another type";
    /// Allowed values in a list within the list.
    EnumNested => Guessed, "enum values in a list of lists";
    /// Members of a list that are declared as lists.
    ListNested => Guessed, "list of lists";
    /// Allowed values that are all of another type than the schema's.
    TypeFromEnum => Guessed, "type other than that of all enum values";
    /// A required field that the schema does not have.
    RequiredUnknown => Dropped, "required field not in schema";
    /// Alternatives that cannot all hold at once.
    AllOfMixed => Guessed, "allOf of different types";
    /// Nested or referred to too deeply.
    TooDeep => Dropped, "nested too deeply";
    /// Too large when written out.
    TooLarge => Dropped, "too large when expanded";
    /// A path item or operation that is none.
    OperationBroken => Dropped, "not an operation";
    /// Facts of a list that the description does not tell for certain.
    ListGuessed => Guessed, "list facts guessed";
    /// An operation that the overlay leaves out.
    NotListed => Dropped, "not in the overlay";
    /// An operation of the overlay that no document has.
    OverlayUnused => Dropped, "overlay entry without operation";
    /// No absolute address of the API.
    NoAddress => Guessed, "no absolute server url";
    /// A way to authenticate that a connection cannot use.
    AuthOther => Dropped, "security scheme not supported";
    /// Put right by the overlay.
    Overlaid => Patched, "patched by the overlay";
}

impl Serialize for FindingKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
