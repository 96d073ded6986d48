//! The prompts that the published conformance suite gets by name.

use serde_json::json;

use super::{Argument, Message, Prompt, Values};
use crate::agent::{InputMethod, InputRequest};
use crate::tools::content::{Block, Contents, Data};
use crate::tools::fixtures::PIXEL;

/// The fixtures among the prompts.
pub(super) const PROMPTS: &[Prompt] = &[
    fixture("test_simple_prompt", &[], |_| vec![text("This is a simple prompt for testing.".to_owned())]),
    fixture("test_prompt_with_arguments", &[required("arg1"), required("arg2")], |values| {
        let (arg1, arg2) = (values.or("arg1", ""), values.or("arg2", ""));
        vec![text(format!("Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"))]
    }),
    fixture("test_prompt_with_embedded_resource", &[required("resourceUri")], |values| {
        let data = Data::Text("Embedded resource content for testing.".into());
        let uri = values.or("resourceUri", "").into_owned();
        let resource = Contents { uri, mime_type: "text/plain".into(), data };
        vec![Message::of(Block::Resource { resource }), text("Please process the embedded resource above.".to_owned())]
    }),
    fixture("test_prompt_with_image", &[], |_| {
        let pixel = Block::Image { data: PIXEL.into(), mime_type: "image/png".into() };
        vec![Message::of(pixel), text("Please analyze the image above.".to_owned())]
    }),
    Prompt {
        questions: || {
            let schema =
                json!({"type": "object", "properties": {"context": {"type": "string"}}, "required": ["context"]});
            let params = json!({"message": "What context should the prompt use?", "requestedSchema": schema});
            vec![InputRequest { key: "user_context".to_owned(), method: InputMethod::Elicit, params }]
        },
        ..fixture("test_input_required_result_prompt", &[], |values| {
            vec![text(format!("The answer was: {:?}", values.answers))]
        })
    },
];

const fn fixture(
    name: &'static str,
    arguments: &'static [Argument],
    render: fn(&Values<'_>) -> Vec<Message>,
) -> Prompt {
    Prompt {
        name,
        title: name,
        description: "A fixture of the conformance suite.",
        icon: None,
        arguments,
        questions: Vec::new,
        render,
    }
}

const fn required(name: &'static str) -> Argument {
    Argument { name, description: "A test argument", required: true, values: &["test"] }
}

fn text(text: String) -> Message {
    Message::of(Block::text(text))
}
